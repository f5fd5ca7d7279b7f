package model

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// The input's records are numbered in each partition: their values are PARTITION/NUMBER,
// and their results' values as well, with a letter behind it for each result.

func value(partition int32, i int) string { return fmt.Sprintf("%d/%d", partition, i) }

// produce writes the input in pieces, over half of the time of trouble.
func (s *schedule) produce() {
	const pieces = 20
	for piece := range pieces {
		for partition := range s.plan.partitions {
			first, next := s.plan.records*piece/pieces, s.plan.records*(piece+1)/pieces
			if first < next {
				s.server.Do(func(c *broker.Cluster) {
					raw := s.encode(partition, first, next)
					_, _ = c.Log(broker.Partition{Topic: "in", ID: partition}).Append(broker.ParseBatch(raw)) // nothing to refuse
				})
			}
		}
		time.Sleep(trouble / 2 / pieces)
	}
}

func (s *schedule) encode(partition int32, first, next int) []byte {
	set := kmsg.RecordBatch{Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, LastOffsetDelta: int32(next - first - 1)}
	set.FirstTimestamp, set.MaxTimestamp = time.Now().UnixMilli(), time.Now().UnixMilli()
	for i := first; i < next; i++ {
		rec := kmsg.Record{OffsetDelta: int32(i - first), Key: s.key(partition, i), Value: []byte(value(partition, i))}
		rec.Length = int32(len(rec.AppendTo(nil)) - 1)
		set.Records = rec.AppendTo(set.Records)
		set.NumRecords++
	}
	raw := set.AppendTo(nil)
	set.Length = int32(len(raw) - 12)
	set.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return set.AppendTo(nil)
}

// key returns a record's key; no partition shares its keys with another.
func (s *schedule) key(partition int32, i int) []byte {
	return fmt.Appendf(nil, "%d-%d", partition, i%s.plan.keys)
}

var errFailing = errors.New("this attempt fails")

// processor is the workers'.
type processor struct{ *schedule }

// Process implements worker.Processor.
func (s processor) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	if s.oneIn(s.plan.failing) {
		return errFailing
	}
	for j := range s.results(int(rec.Offset)) {
		out.EmitValue(append(rec.Value[:len(rec.Value):len(rec.Value)], 'a'+byte(j)))
	}
	return nil
}

// results returns how many results a record has.
func (s *schedule) results(i int) int {
	switch p := s.plan; {
	case p.filtered > 0 && i%p.filtered == 0:
		return 0
	case p.double > 0 && i%p.double == 0:
		return 2
	default:
		return 1
	}
}

// result is one result as the output has it.
type result struct {
	partition int32
	number    int
	which     int
	key       string
	place     broker.Partition
}

// resultsOf reads the results of a log batch.
func resultsOf(place broker.Partition, b *broker.Batch) (list []result) {
	var set kmsg.RecordBatch
	if err := set.ReadFrom([]byte(b.Bytes)); err != nil {
		panic(err)
	}
	for rest := set.Records; len(rest) > 0; {
		length, n := binary.Varint(rest)
		var rec kmsg.Record
		if err := rec.ReadFrom(rest[:n+int(length)]); err != nil {
			panic(err)
		}
		rest = rest[n+int(length):]
		r := result{key: string(rec.Key), place: place, which: int(rec.Value[len(rec.Value)-1] - 'a')}
		if _, err := fmt.Sscanf(strings.TrimRight(string(rec.Value), "ab"), "%d/%d", &r.partition, &r.number); err != nil {
			panic(err)
		}
		list = append(list, r)
	}
	return list
}
