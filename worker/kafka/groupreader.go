package kafka

import (
	"encoding/binary"
	"errors"
)

var errGroupDataCut = errors.New("the data is cut short")

// groupReader reads what members write for each other. They may be anybody's
// clients, so nothing is taken on trust. After the first error all it returns is
// zero.
type groupReader struct {
	b   []byte
	err error
}

func (r *groupReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		if r.err == nil {
			r.err = errGroupDataCut
		}
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *groupReader) int16() int16 {
	b := r.take(2)
	if b == nil {
		return 0
	}
	return int16(binary.BigEndian.Uint16(b))
}

func (r *groupReader) int32() int32 {
	b := r.take(4)
	if b == nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(b))
}

func (r *groupReader) string() string { return string(r.take(int(r.int16()))) }

// bytes reads bytes that may be null.
func (r *groupReader) bytes() []byte {
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

// count reads the length of a list, of which each element takes least bytes or
// more.
func (r *groupReader) count(least int) int {
	n := int(r.int32())
	if n > len(r.b)/least {
		r.err = errGroupDataCut
	}
	if r.err != nil || n < 0 { // -1 is null
		return 0
	}
	return n
}

func (r *groupReader) topicPartitions() []topicPartitions {
	var list []topicPartitions
	for range r.count(6) {
		t := topicPartitions{topic: r.string()}
		for range r.count(4) {
			t.partitions = append(t.partitions, r.int32())
		}
		list = append(list, t)
	}
	return list
}
