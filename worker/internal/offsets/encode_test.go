package offsets

import (
	"reflect"
	"strings"
	"testing"
)

func TestStateSurvivesEncoding(t *testing.T) {
	for name, s := range map[string]State{
		"empty":      {},
		"open":       {Marks: Marks{Open: true, Process: 1<<32 - 1, Reach: 4196}},
		"suspicion":  {Marks: Marks{Suspicion: &Suspicion{Next: 101, Level: 3, Crashes: 1}}},
		"alone":      {Marks: Marks{Open: true, Process: 7, Reach: 101, Suspicion: &Suspicion{Next: 1 << 40, Level: 4, Alone: true}}},
		"ranges":     {Settled: []Range{{101, 102}, {103, 104}, {105, 300}, {1 << 40, 1<<40 + 1}}},
		"at offset":  {Settled: []Range{{100, 101}}},
		"topic":      {Origin: Origin{TopicID: [16]byte{15: 7}}},
		"first":      {Origin: Origin{FirstPartitions: 300, FirstStart: 1_790_000_000_000}},
		"everything": {Origin: Origin{TopicID: [16]byte{1: 9}, FirstPartitions: 2, FirstStart: 1}, Settled: []Range{{102, 109}, {110, 111}}, Marks: Marks{Open: true, Process: 1, Reach: 120, Suspicion: &Suspicion{Next: 130, Level: 1}}},
	} {
		metadata := s.Encode(100)
		got, err := Decode(metadata, 100)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: %+v became %+v, %v", name, s, got, err)
		}
	}
}

func TestForeignMetadataIsNoError(t *testing.T) {
	for _, metadata := range []string{"", "consumer-7", "{}", "mr"} {
		if s, err := Decode(metadata, 5); err != nil || !reflect.DeepEqual(s, State{}) {
			t.Errorf("Decode(%q) = %+v, %v", metadata, s, err)
		}
	}
}

func TestDamagedMetadataIsAnError(t *testing.T) {
	whole := State{Settled: []Range{{102, 109}}, Marks: Marks{Open: true, Process: 1, Reach: 120, Suspicion: &Suspicion{Next: 130, Level: 1}}}.Encode(100)
	for _, metadata := range []string{"mr3:", "mr3:*", whole[:len(prefix)+2], "mr3:AAP/////////////", seal([]byte{0, 0, 0, 0}, 100), seal([]byte("\x00\x00\x00\x00\x00\xff\xff"), 100), seal([]byte{0, 0, 0, 0, 1 << 7}, 100)} {
		if s, err := Decode(metadata, 100); err == nil {
			t.Errorf("Decode(%q) = %+v, want an error", metadata, s)
		}
	}
}

// TestMetadataOfAnotherOffset: Decode refuses a map that was made for another offset.
func TestMetadataOfAnotherOffset(t *testing.T) {
	metadata := State{Settled: []Range{{102, 109}}}.Encode(100)
	if s, err := Decode(metadata, 90); err == nil {
		t.Errorf("Decode at another offset = %+v, want an error", s)
	}
}

// FuzzDecode checks that no input makes Decode panic or claim offsets below the
// watermark, and that a decoded state stays the same when it is encoded and decoded
// again.
func FuzzDecode(f *testing.F) {
	f.Add("", int64(0))
	f.Add("mr3:AA", int64(7))
	f.Add(State{Settled: []Range{{10, 20}, {22, 23}, {24, 25}, {26, 27}, {28, 29}, {30, 31}}, Marks: Marks{Open: true, Reach: 40}}.Encode(5), int64(5))
	f.Add(State{Marks: Marks{Suspicion: &Suspicion{Next: 2, Level: 4, Crashes: 3, Alone: true}}}.Encode(0), int64(0))
	f.Add("mr3:"+strings.Repeat("/", 100), int64(1<<62))
	f.Fuzz(checkDecoded)
}

// FuzzPayload does the same with valid checksums, because FuzzDecode hardly ever gets
// past the checksum.
func FuzzPayload(f *testing.F) {
	f.Add([]byte{0}, int64(0))
	f.Add([]byte{flagOpen | flagSuspect, 0, 0, 0, 9, 40, 40, 2, 1, 5<<2 | runUnsettled, 9<<2 | runSettled, 1<<2 | bitmap, 0xa5}, int64(7))
	f.Add([]byte{flagTopic | flagFirst | flagOpen, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 3, 9, 0, 0, 0, 9, 40, 9<<2 | runSettled}, int64(7))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, int64(1<<62))
	f.Fuzz(func(t *testing.T, payload []byte, watermark int64) {
		checkDecoded(t, seal(append(make([]byte, checksumSize), payload...), watermark), watermark)
	})
}

func checkDecoded(t *testing.T, metadata string, watermark int64) {
	if watermark < 0 {
		return
	}
	s, err := Decode(metadata, watermark)
	if err != nil {
		return
	}
	previous := watermark - 1
	for _, r := range s.Settled {
		if r.First <= previous || r.Next <= r.First {
			t.Fatalf("ranges %v from watermark %d", s.Settled, watermark)
		}
		previous = r.Next
	}
	again, err := Decode(s.Encode(watermark), watermark)
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Fatalf("%+v became %+v, %v", s, again, err)
	}
}
