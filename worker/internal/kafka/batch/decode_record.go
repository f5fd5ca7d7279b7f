package batch

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// openBatch is a log batch whose records are being decoded.
type openBatch struct {
	logBatch
	content []byte  // the records, decompressed
	memory  *Buffer // what content is in; held by the Set as long as this is open
	at      int     // where in content the next record starts
	left    int32   // records not decoded yet
	least   int64   // the lowest offset that the next record may have
}

var (
	errRecordsCut  = errors.New("the batch ends before its records do")
	errVarint      = errors.New("a number in it is cut or too long")
	errHeaderCount = errors.New("its header count is wrong")
	errHeaderName  = errors.New("a header has no name")
)

// frame reads the length of the next record and returns where its body starts
// and ends.
func (o *openBatch) frame() (start, end int, err error) {
	u, start := firstByte(o.content, o.at)
	if u >= more {
		u, start = uvarint(o.content, start-1)
	}
	length := zigzag(u)
	switch {
	case start < 0:
		return 0, 0, errRecordsCut
	case length < 0 || length > int64(len(o.content)-start):
		return 0, 0, fmt.Errorf("its length is %d where %d bytes are left", length, len(o.content)-start)
	}
	return start, start + int(length), nil
}

// decode reads the record that frame found into rec, whose topic and partition
// are set by the caller, and moves on to the next. Headers are appended to
// headers. Nothing is copied: rec refers to the content.
func (o *openBatch) decode(start, end int, rec *record.Record, headers *[]record.Header) error {
	b := o.content[:end]
	timestamp, p := firstByte(b, start+1) // behind the attributes, which have no use yet
	if timestamp >= more {
		timestamp, p = uvarint(b, p-1)
	}
	delta, p := firstByte(b, p)
	if delta >= more {
		delta, p = uvarint(b, p-1)
	}
	var err error
	if rec.Key, p, err = field(b, p); err != nil {
		return err
	}
	if rec.Value, p, err = field(b, p); err != nil {
		return err
	}
	count, p := firstByte(b, p)
	if count >= more {
		count, p = uvarint(b, p-1)
	}
	if p < 0 {
		return errVarint
	}
	rec.Headers = nil
	if count != 0 {
		if rec.Headers, p, err = decodeHeaders(b, p, zigzag(count), headers); err != nil {
			return err
		}
	}
	if p != end {
		return fmt.Errorf("%d of its bytes belong to no field", end-p)
	}
	rec.Offset = o.base + zigzag(delta)
	if rec.Offset < o.least || rec.Offset > o.last {
		return fmt.Errorf("its offset %d is not in [%d, %d]", rec.Offset, o.least, o.last)
	}
	rec.Timestamp = o.timestamp(zigzag(timestamp))
	o.at, o.left, o.least = end, o.left-1, rec.Offset+1
	return nil
}

// timestamp returns a record's time, given how far it lies from the batch's.
func (o *openBatch) timestamp(delta int64) time.Time {
	ms := o.baseTimestamp + delta
	if o.attributes&logAppendTimeFlag != 0 {
		ms = o.maxTimestamp
	}
	if ms == noTimestamp {
		return time.Time{}
	}
	t := time.UnixMilli(ms).UTC()
	if t.IsZero() {
		// The first millisecond of the year 1, which .NET's programs write, is a
		// timestamp; the zero time would mean none.
		return t.Add(time.Nanosecond)
	}
	return t
}

// field reads a length and as many bytes; a negative length is null.
func field(b []byte, p int) ([]byte, int, error) {
	u, p := firstByte(b, p)
	if u >= more {
		u, p = uvarint(b, p-1)
	}
	n := zigzag(u)
	switch {
	case p < 0:
		return nil, 0, errVarint
	case n < 0:
		return nil, p, nil
	case n > int64(len(b)-p):
		return nil, 0, fmt.Errorf("a field of %d bytes where %d are left", n, len(b)-p)
	}
	end := p + int(n)
	return b[p:end:end], end, nil
}

func decodeHeaders(b []byte, p int, count int64, arena *[]record.Header) ([]record.Header, int, error) {
	const smallest = 2 // two lengths
	if count < 0 || count > int64(len(b)-p)/smallest {
		return nil, 0, errHeaderCount
	}
	list := *arena
	first := len(list)
	for range count {
		name, next, err := field(b, p)
		if err != nil {
			return nil, 0, err
		}
		if name == nil {
			return nil, 0, errHeaderName
		}
		value, next, err := field(b, next)
		if err != nil {
			return nil, 0, err
		}
		// The name lives as long as the record's other bytes do.
		list = append(list, record.Header{Key: unsafe.String(unsafe.SliceData(name), len(name)), Value: value})
		p = next
	}
	*arena = list
	return list[first:len(list):len(list)], p, nil
}
