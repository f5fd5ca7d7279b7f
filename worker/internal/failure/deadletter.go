package failure

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// The headers that follow the record's own in a dead letter. Numbers are decimal; times
// are in the format of RFC 3339 in UTC with milliseconds.
const (
	HeaderTopic     = "millrace-origin-topic"
	HeaderPartition = "millrace-origin-partition"
	HeaderOffset    = "millrace-origin-offset"
	// HeaderTimestamp is the record's timestamp. It is absent if the record has none.
	HeaderTimestamp = "millrace-origin-timestamp"
	HeaderError     = "millrace-error"
	// HeaderErrorDetail is more about the error, such as the stack trace of a processor in
	// another process. It is absent if there is no more.
	HeaderErrorDetail = "millrace-error-detail"
	HeaderAttempts    = "millrace-attempts"
	// HeaderFailedAt is the time at which the last attempt failed.
	HeaderFailedAt = "millrace-failed-at"
	// The size in bytes of a part of the record that the letter leaves out because it
	// would be too large.
	HeaderValueOmitted   = "millrace-value-omitted"
	HeaderHeadersOmitted = "millrace-headers-omitted"
	HeaderKeyOmitted     = "millrace-key-omitted"
	// HeaderKeyAdded is true if the record has no key, but the topic requires one.
	HeaderKeyAdded = "millrace-key-added"
)

// maxErrorBytes bounds the error's text, which may quote the whole value. Without the
// bound, a dead letter could be much larger than its record.
const maxErrorBytes = 1024

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// detailed is an error that knows more than its text.
type detailed interface {
	error
	ErrorDetail() string
}

// Headers returns headers that name the origin of a dead letter and its error.
func Headers(rec *record.Record, err error, attempts int, now time.Time) []record.Header {
	headers := []record.Header{
		{Key: HeaderTopic, Value: []byte(rec.Topic)},
		{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(rec.Partition), 10)},
		{Key: HeaderOffset, Value: strconv.AppendInt(nil, rec.Offset, 10)},
		{Key: HeaderError, Value: []byte(cut(err.Error()))},
		{Key: HeaderAttempts, Value: strconv.AppendInt(nil, int64(attempts), 10)},
		{Key: HeaderFailedAt, Value: now.UTC().AppendFormat(nil, timeFormat)},
	}
	if d, ok := errors.AsType[detailed](err); ok && d.ErrorDetail() != "" {
		headers = append(headers, record.Header{Key: HeaderErrorDetail, Value: []byte(d.ErrorDetail())})
	}
	if !rec.Timestamp.IsZero() {
		headers = append(headers, record.Header{Key: HeaderTimestamp, Value: rec.Timestamp.UTC().AppendFormat(nil, timeFormat)})
	}
	return headers
}

// cut shortens a text to at most maxErrorBytes, without cutting a rune.
func cut(text string) string {
	if len(text) <= maxErrorBytes {
		return text
	}
	end := maxErrorBytes
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
