package engine

import "github.com/millrace-dev/millrace/worker/internal/record"

// traceContext appends to dst the input's W3C trace context (the headers of
// the OpenTelemetry propagators "tracecontext" and "baggage") unless the
// output has its own, so that a trace goes on through a processor that writes
// new headers.
func traceContext(dst, input, output []record.Header) []record.Header {
	for _, h := range input {
		if isTraceContext(h.Key) && !has(output, "traceparent") {
			dst = append(dst, h)
		}
	}
	return dst
}

func isTraceContext(name string) bool {
	return name == "traceparent" || name == "tracestate" || name == "baggage"
}

func has(headers []record.Header, name string) bool {
	for i := range headers {
		if headers[i].Key == name {
			return true
		}
	}
	return false
}
