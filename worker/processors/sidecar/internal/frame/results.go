package frame

import "unicode/utf8"

// BatchResults is the head of a Results message.
type BatchResults struct {
	Batch uint64
	// Failure is that of the whole batch, nil if there is none.
	Failure *Failure
	// Count is the number of results.
	Count int
}

// FailureKind says what becomes of a record that has failed.
type FailureKind uint8

// The kinds of failures.
const (
	Retry FailureKind = iota
	Permanent
	Drop
	DeadLetter
)

// Failure says why a record has no results.
type Failure struct {
	Kind             FailureKind
	Message, Detail  string
	RetryAfterMillis uint32
	DeadLetterTopic  string
}

// ParseResults decodes the head of a Results message, whose results EachResult decodes.
func ParseResults(b []byte) (BatchResults, error) {
	var r BatchResults
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			r.Batch = f.varint
		case f.isBytes(2):
			r.Count++
		case f.isBytes(3):
			if r.Failure != nil {
				return r, Mistakef("the results of batch %d have two failures", r.Batch)
			}
			failure, err := parseFailure(f.bytes)
			if err != nil {
				return r, err
			}
			r.Failure = &failure
		}
	}
	if f.err == nil && r.Failure != nil && r.Count > 0 {
		f.err = Mistakef("the results of batch %d come with a failure of the whole batch", r.Batch)
	}
	return r, f.err
}

func parseFailure(b []byte) (Failure, error) {
	var x Failure
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			if f.varint > uint64(DeadLetter) {
				return x, Mistakef("a failure is of the unknown kind %d", int32(f.varint))
			}
			x.Kind = FailureKind(f.varint)
		case f.isBytes(2):
			x.Message = shorten(f.text(), maxText)
		case f.isBytes(3):
			x.Detail = shorten(f.text(), maxDetail)
		case f.isVarint(4):
			x.RetryAfterMillis = uint32(f.varint)
		case f.isBytes(5):
			x.DeadLetterTopic = string(f.text())
		}
	}
	return x, f.err
}

// The longest texts that a worker keeps, in bytes: one line for people, and the detail of a
// failure.
const (
	maxText   = 1 << 10
	maxDetail = 16 << 10
)

// shorten returns the first bytes of a text, most at most, without cutting a rune.
func shorten(text []byte, most int) string {
	if len(text) <= most {
		return string(text)
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end])
}
