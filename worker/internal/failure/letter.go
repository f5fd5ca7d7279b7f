package failure

import (
	"fmt"
	"strconv"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Form says which parts of its record a dead letter leaves out. The zero value is a
// letter with all parts.
type Form uint8

// The parts of a Form. With OmitKey the record's place replaces the key; with AddKey
// the place becomes the key of a letter without one.
const (
	OmitValue Form = 1 << iota
	OmitHeaders
	OmitKey
	AddKey
)

// FormBits is the number of bits in a Form.
const FormBits = 4

// Smaller returns the next smaller form; ok is false if there is none.
func (f Form) Smaller() (smaller Form, ok bool) {
	for _, part := range []Form{OmitValue, OmitHeaders, OmitKey} {
		if f&part == 0 {
			return f | part, true
		}
	}
	return f, false
}

// Letter is the message for the dead-letter topic about a record.
type Letter struct {
	// Key is null (nil) if the record's is, unless the form says otherwise. A value
	// that is left out is empty and not null: in a compacted topic, null would delete
	// the letter.
	Key, Value []byte
	// Headers are the record's own, Extra describe the letter.
	Headers, Extra []record.Header
}

// NewLetter returns the dead letter of a record whose last attempt failed with err. The
// letter borrows the record's memory.
func NewLetter(rec *record.Record, err error, attempts int, now time.Time, f Form) Letter {
	l := Letter{Key: rec.Key, Value: rec.Value, Headers: rec.Headers, Extra: Headers(rec, err, attempts, now)}
	if f&OmitValue != 0 {
		l.Value = []byte{}
		l.omitted(HeaderValueOmitted, len(rec.Value))
	}
	if f&OmitHeaders != 0 {
		l.Headers = nil
		l.omitted(HeaderHeadersOmitted, headersSize(rec.Headers))
	}
	if f&OmitKey != 0 && rec.Key != nil {
		l.Key = place(rec)
		l.omitted(HeaderKeyOmitted, len(rec.Key))
	}
	if f&AddKey != 0 && rec.Key == nil {
		l.Key = place(rec)
		l.Extra = append(l.Extra, record.Header{Key: HeaderKeyAdded, Value: []byte("true")})
	}
	return l
}

// omitted adds the header that gives the size of a part that is left out.
func (l *Letter) omitted(header string, bytes int) {
	l.Extra = append(l.Extra, record.Header{Key: header, Value: strconv.AppendInt(nil, int64(bytes), 10)})
}

// place returns a key that names a record's topic, partition and offset.
func place(rec *record.Record) []byte {
	return fmt.Appendf(nil, "%s/%d/%d", rec.Topic, rec.Partition, rec.Offset)
}

func headersSize(headers []record.Header) (bytes int) {
	for i := range headers {
		bytes += len(headers[i].Key) + len(headers[i].Value)
	}
	return bytes
}
