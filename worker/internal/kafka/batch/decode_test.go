package batch

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// decodeAll returns copies of all records of a set, taken in batches of at most
// step, and checks that the batches cover the offsets without a hole.
func decodeAll(t testing.TB, s *Set, step, maxBytes int) ([]record.Record, int64, error) {
	t.Helper()
	var (
		out  []record.Record
		b    Batch
		next = s.position
	)
	defer s.Release()
	defer b.Release()
	for !s.Done() {
		if err := s.Next(&b, step, maxBytes); err != nil {
			return out, next, err
		}
		if b.First != next || b.Next < b.First {
			t.Fatalf("a batch covers [%d, %d) after one that ended at %d", b.First, b.Next, next)
		}
		if len(b.Records) > step {
			t.Fatalf("%d records where at most %d were asked for", len(b.Records), step)
		}
		size := 0
		for i := range b.Records {
			size += b.Records[i].Size()
			out = append(out, batchtest.Clone(b.Records[i]))
		}
		if size != b.Bytes {
			t.Fatalf("Bytes is %d, the records have %d", b.Bytes, size)
		}
		next = b.Next
	}
	return out, next, nil
}

// variety are records with each way a field can be.
func variety() []kmsg.Record {
	return []kmsg.Record{
		{Key: []byte("k"), Value: []byte("v"), Headers: []kmsg.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: nil}}},
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{TimestampDelta64: 5, Value: bytes.Repeat([]byte("x"), 70_000)},
		{TimestampDelta64: -7, OffsetDelta: 9, Key: bytes.Repeat([]byte("k"), 200)},
		{OffsetDelta: 10, TimestampDelta64: 1 << 40},
	}
}

func TestEveryCodecGivesBackWhatWasWritten(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms).UTC() }
	want := []record.Record{
		{Offset: 100, Timestamp: at(0), Key: []byte("k"), Value: []byte("v"), Headers: []record.Header{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: nil},
		}},
		{Offset: 101, Timestamp: at(0)},
		{Offset: 102, Timestamp: at(0), Key: []byte{}, Value: []byte{}},
		{Offset: 103, Timestamp: at(5), Value: bytes.Repeat([]byte("x"), 70_000)},
		{Offset: 109, Timestamp: at(-7), Key: bytes.Repeat([]byte("k"), 200)},
		{Offset: 110, Timestamp: at(1 << 40)},
	}
	for i := range want {
		want[i].Topic, want[i].Partition = "orders", 3
	}
	for codec := range batchtest.Codecs {
		for _, step := range []int{1, 4, 100} {
			t.Run(fmt.Sprintf("%s/%d", codec, step), func(t *testing.T) {
				spec := batchtest.Spec{Base: 100, Codec: codec, Timestamp: 1_700_000_000_000, Records: variety(), Span: 12}
				s, _ := setOf(t, spec.Encode(), 100)
				got, next, err := decodeAll(t, s, step, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
				if next != 113 {
					t.Errorf("the batches end at %d, not at the log batch's last offset + 1", next)
				}
			})
		}
	}
}

func TestTimestamps(t *testing.T) {
	cases := map[string]struct {
		spec batchtest.Spec
		want time.Time
	}{
		"create time":      {batchtest.Spec{Timestamp: 1000, MaxTime: 5000, Records: []kmsg.Record{{TimestampDelta64: 7}}}, time.UnixMilli(1007).UTC()},
		"log append time":  {batchtest.Spec{Timestamp: 1000, MaxTime: 5000, Attributes: logAppendTimeFlag, Records: []kmsg.Record{{TimestampDelta64: 7}}}, time.UnixMilli(5000).UTC()},
		"none":             {batchtest.Spec{Timestamp: -1, MaxTime: -1, Records: []kmsg.Record{{}}}, time.Time{}},
		"before the epoch": {batchtest.Spec{Timestamp: 1, Records: []kmsg.Record{{TimestampDelta64: -3}}}, time.UnixMilli(-2).UTC()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := setOf(t, c.spec.Encode(), 0)
			got, _, err := decodeAll(t, s, 10, 1000)
			if err != nil || len(got) != 1 || !got[0].Timestamp.Equal(c.want) || got[0].Timestamp.IsZero() != c.want.IsZero() {
				t.Fatalf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

// TestWhatIsReadOfALog goes through the shapes that a log takes.
func TestWhatIsReadOfALog(t *testing.T) {
	const txn = transactionalFlag
	cases := map[string]struct {
		batches []batchtest.Spec
		from    int64
		aborted []AbortedTransaction
		want    []int64
		next    int64
	}{
		"starts before the asked offset": {
			batches: []batchtest.Spec{{Base: 10, Records: batchtest.Values("a", "b", "c")}}, from: 12, want: []int64{12}, next: 13,
		},
		"a whole batch before the asked offset": {
			batches: []batchtest.Spec{{Base: 10, Records: batchtest.Values("a")}, {Base: 11, Records: batchtest.Values("b")}}, from: 11, want: []int64{11}, next: 12,
		},
		"an empty batch at the end": {
			batches: []batchtest.Spec{{Base: 0, Records: batchtest.Values("a")}, {Base: 4, Span: 5}}, want: []int64{0}, next: 10,
		},
		"only an empty batch": {
			batches: []batchtest.Spec{{Base: 4, Span: 5}}, from: 4, next: 10,
		},
		"holes between and inside batches": {
			batches: []batchtest.Spec{
				{Base: 0, Records: []kmsg.Record{{OffsetDelta: 3}, {OffsetDelta: 7}}, Span: 9},
				{Base: 50, Records: batchtest.Values("a")},
			},
			want: []int64{3, 7, 50}, next: 51,
		},
		"a commit marker": {
			batches: []batchtest.Spec{{Base: 0, Attributes: txn, ProducerID: 9, Records: batchtest.Values("a")}, batchtest.Marker(1, 9, 1)},
			want:    []int64{0}, next: 2,
		},
		"an aborted transaction between others": {
			batches: []batchtest.Spec{
				{Base: 0, Attributes: txn, ProducerID: 9, Records: batchtest.Values("a")},
				batchtest.Marker(1, 9, 1),
				{Base: 2, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone", "gone")},
				{Base: 4, Attributes: txn, ProducerID: 8, Records: batchtest.Values("kept")},
				{Base: 5, ProducerID: 9, Records: batchtest.Values("not of a transaction")},
				{Base: 6, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone")},
				batchtest.Marker(7, 9, 0),
				{Base: 8, Attributes: txn, ProducerID: 9, Records: batchtest.Values("a")},
				batchtest.Marker(9, 9, 1), batchtest.Marker(10, 8, 1),
			},
			aborted: []AbortedTransaction{{ProducerID: 9, FirstOffset: 2}},
			want:    []int64{0, 4, 5, 8}, next: 11,
		},
		"one producer aborts twice, the list out of order": {
			batches: []batchtest.Spec{
				{Base: 0, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone")},
				batchtest.Marker(1, 9, 0),
				{Base: 2, Attributes: txn, ProducerID: 9, Records: batchtest.Values("kept")},
				batchtest.Marker(3, 9, 1),
				{Base: 4, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone")},
				batchtest.Marker(5, 9, 0),
			},
			aborted: []AbortedTransaction{{9, 4}, {9, 0}},
			want:    []int64{2}, next: 6,
		},
		"a transaction that began before the set": {
			batches: []batchtest.Spec{{Base: 100, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone")}, batchtest.Marker(101, 9, 0), {Base: 102, Records: batchtest.Values("a")}},
			from:    100, aborted: []AbortedTransaction{{9, 20}}, want: []int64{102}, next: 103,
		},
		"an entry that is listed twice ends once": {
			batches: []batchtest.Spec{
				{Base: 0, Attributes: txn, ProducerID: 9, Records: batchtest.Values("gone")},
				batchtest.Marker(1, 9, 0),
				{Base: 2, Attributes: txn, ProducerID: 9, Records: batchtest.Values("kept")},
				batchtest.Marker(3, 9, 1),
			},
			aborted: []AbortedTransaction{{9, 0}, {9, 0}}, want: []int64{2}, next: 4,
		},
	}
	for name, c := range cases {
		for codec := range batchtest.Codecs {
			for _, step := range []int{1, 2, 100} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, codec, step), func(t *testing.T) {
					for i := range c.batches {
						c.batches[i].Codec = codec
					}
					s, _ := setOf(t, batchtest.EncodeAll(c.batches...), c.from, slices.Clone(c.aborted)...)
					got, next, err := decodeAll(t, s, step, 1<<20)
					if err != nil {
						t.Fatal(err)
					}
					if offsets := batchtest.Offsets(got); !slices.Equal(offsets, c.want) || next != c.next {
						t.Errorf("read %v up to %d, want %v up to %d", offsets, next, c.want, c.next)
					}
				})
			}
		}
	}
}

func TestReadUncommittedKeepsAbortedRecordsAndSkipsMarkers(t *testing.T) {
	data := batchtest.EncodeAll(batchtest.Spec{Attributes: transactionalFlag, ProducerID: 9, Records: batchtest.Values("a")}, batchtest.Marker(1, 9, 0))
	s, _ := setOf(t, data, 0)
	s.filter = newTransactionFilter(false, []AbortedTransaction{{9, 0}})
	got, next, err := decodeAll(t, s, 10, 1000)
	if err != nil || !slices.Equal(batchtest.Offsets(got), []int64{0}) || next != 2 {
		t.Fatalf("read %v up to %d: %v", batchtest.Offsets(got), next, err)
	}
}

func TestNextKeepsItsBounds(t *testing.T) {
	data := batchtest.EncodeAll(batchtest.Spec{Records: batchtest.Values("12345", "12345", strings.Repeat("x", 100), "12345")}, batchtest.Spec{Base: 4, Records: batchtest.Values("12345")}, batchtest.Marker(5, 1, 1))
	cases := []struct {
		maxRecords, maxBytes int
		want                 []int // records of each batch
	}{
		{100, 1 << 20, []int{5}},
		{2, 1 << 20, []int{2, 2, 1}},
		{0, 1 << 20, []int{1, 1, 1, 1, 1}},
		{100, 25, []int{2, 1, 2}},
		{100, 0, []int{1, 1, 1, 1, 1}},
	}
	for _, c := range cases {
		s, _ := setOf(t, data, 0)
		var (
			got []int
			b   Batch
		)
		for !s.Done() {
			if err := s.Next(&b, c.maxRecords, c.maxBytes); err != nil {
				t.Fatal(err)
			}
			got = append(got, len(b.Records))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("at most %d records and %d bytes: batches of %v, want %v", c.maxRecords, c.maxBytes, got, c.want)
		}
		if b.Next != 6 {
			t.Errorf("the last batch ends at %d: the trailing marker is not in it", b.Next)
		}
	}
}
