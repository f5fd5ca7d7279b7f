package record

import "time"

// KeyFor returns the key to write: the output's, or that of the record that it was
// made of.
func (o *Output) KeyFor(rec *Record) []byte {
	if o.Key == nil && !o.NullKey {
		return rec.Key
	}
	return o.Key
}

// TimestampFor returns the timestamp to write: the output's, or that of the record
// that it was made of.
func (o *Output) TimestampFor(rec *Record) time.Time {
	if o.Timestamp.IsZero() {
		return rec.Timestamp
	}
	return o.Timestamp
}

// HeadersFor returns the headers to write: the output's, or those of the record that
// it was made of. To the output's belong more, which it appends to extra: the record's
// W3C trace context (the headers of the OpenTelemetry propagators "tracecontext" and
// "baggage"), unless the output has its own. So a trace goes on through a processor
// that writes new headers.
func (o *Output) HeadersFor(rec *Record, extra []Header) (headers, traceContext []Header) {
	if o.Headers == nil {
		return rec.Headers, extra
	}
	for _, h := range rec.Headers {
		if isTraceContext(h.Key) && !has(o.Headers, "traceparent") {
			extra = append(extra, h)
		}
	}
	return o.Headers, extra
}

func isTraceContext(name string) bool {
	return name == "traceparent" || name == "tracestate" || name == "baggage"
}

func has(headers []Header, name string) bool {
	for i := range headers {
		if headers[i].Key == name {
			return true
		}
	}
	return false
}
