package offsets

import (
	"encoding/binary"
	"math"
)

// The header is a byte of flags and their fields: first those of the Origin, then those
// of the Marks. Offsets are uvarints relative to the watermark.
const (
	flagOpen    = 1 << iota // the process (4 bytes) and the reach
	flagSuspect             // the suspicion's end, its level (a byte) and the uvarint of its crashes
	flagTopic               // the topic's id (16 bytes)
	flagFirst               // the uvarints of the first partitions and the first start
	flagAlone               // no field: the suspicion's Alone

	knownFlags = flagOpen | flagSuspect | flagTopic | flagFirst | flagAlone
)

// maxHeader is the largest size of the header, in bytes before base64. A new field must
// be added here.
const maxHeader = 1 + // flags
	len(Origin{}.TopicID) +
	binary.MaxVarintLen32 + binary.MaxVarintLen64 + // first
	4 + binary.MaxVarintLen64 + // open
	binary.MaxVarintLen64 + 1 + binary.MaxVarintLen32 // suspicion

func (s *State) appendHeader(raw []byte, watermark int64) []byte {
	flags := len(raw)
	raw = append(raw, 0)
	if o := &s.Origin; o.TopicID != (Origin{}).TopicID {
		raw[flags] |= flagTopic
		raw = append(raw, o.TopicID[:]...)
	}
	if o := &s.Origin; o.FirstPartitions > 0 {
		raw[flags] |= flagFirst
		raw = binary.AppendUvarint(raw, uint64(o.FirstPartitions))
		raw = binary.AppendUvarint(raw, uint64(o.FirstStart))
	}
	if s.Open {
		raw[flags] |= flagOpen
		raw = binary.BigEndian.AppendUint32(raw, s.Process)
		raw = binary.AppendUvarint(raw, uint64(max(s.Reach, watermark)-watermark))
	}
	if sus := s.Suspicion; sus != nil && sus.Next > watermark {
		raw[flags] |= flagSuspect
		if sus.Alone {
			raw[flags] |= flagAlone
		}
		raw = binary.AppendUvarint(raw, uint64(sus.Next-watermark))
		raw = append(raw, sus.Level)
		raw = binary.AppendUvarint(raw, uint64(min(max(sus.Crashes, 0), math.MaxInt32)))
	}
	return raw
}

func (d *decoder) header(watermark int64) (s State) {
	flags := d.byte()
	d.failed = d.failed || flags&^knownFlags != 0
	d.origin(&s.Origin, flags)
	d.marks(&s.Marks, flags, watermark)
	return s
}

func (d *decoder) origin(o *Origin, flags byte) {
	if flags&flagTopic != 0 {
		if len(d.raw) < len(o.TopicID) {
			d.failed = true
			return
		}
		d.raw = d.raw[copy(o.TopicID[:], d.raw):]
	}
	if flags&flagFirst != 0 {
		o.FirstPartitions = int32(d.uvarint(math.MaxInt32))
		o.FirstStart = int64(d.uvarint(math.MaxInt64))
		if o.FirstPartitions == 0 {
			o.FirstStart = 0
		}
	}
}

func (d *decoder) marks(m *Marks, flags byte, watermark int64) {
	if flags&flagOpen != 0 {
		m.Open = true
		m.Process = d.uint32()
		m.Reach = d.sum(watermark, int64(d.uvarint(math.MaxInt64)))
	}
	if flags&flagSuspect == 0 {
		return
	}
	sus := Suspicion{
		Next:    d.sum(watermark, int64(d.uvarint(math.MaxInt64))),
		Level:   d.byte(),
		Crashes: int(d.uvarint(math.MaxInt32)),
		Alone:   flags&flagAlone != 0,
	}
	if sus.Next > watermark {
		m.Suspicion = &sus
	}
}
