package offsets

import (
	"math"
	"testing"
)

// largestMarks sets the marks to values that take the most bytes.
func largestMarks(m *Marks) {
	*m = Marks{
		Open: true, Process: math.MaxUint32, Reach: math.MaxInt64,
		Suspicion: &Suspicion{Next: math.MaxInt64, Level: math.MaxUint8, Crashes: math.MaxInt, Alone: true},
	}
}

// TestHeaderTakesWhatIsReserved: the largest header takes exactly maxHeader bytes, from
// which the room for the map follows.
func TestHeaderTakesWhatIsReserved(t *testing.T) {
	var m Marks
	largestMarks(&m)
	s := State{Marks: m, Origin: Origin{TopicID: [16]byte{1}, FirstPartitions: math.MaxInt32, FirstStart: math.MaxInt64}}
	if got := len(s.appendHeader(nil, 0)); got > maxHeader {
		t.Errorf("the header takes %d bytes, %d are reserved", got, maxHeader)
	}
}

// TestReachIsNeverBelowTheWatermark: the watermark passes the reach when the records
// there need no dispatching.
func TestReachIsNeverBelowTheWatermark(t *testing.T) {
	got, err := Decode(State{Marks: Marks{Open: true, Reach: 90}}.Encode(100), 100)
	if err != nil || got.Reach != 100 {
		t.Errorf("the reach became %d, %v; want the watermark", got.Reach, err)
	}
}

// TestSuspicionEndsAtTheWatermark: settled records are not suspected.
func TestSuspicionEndsAtTheWatermark(t *testing.T) {
	got, err := Decode(State{Marks: Marks{Suspicion: &Suspicion{Next: 100, Level: 2}}}.Encode(100), 100)
	if err != nil || got.Suspicion != nil {
		t.Errorf("the suspicion became %+v, %v; want none", got.Suspicion, err)
	}
}

func TestUnsettledAreCounted(t *testing.T) {
	s := State{Settled: []Range{{102, 104}, {110, 120}}}
	for next, want := range map[int64]int64{90: 0, 100: 0, 102: 2, 103: 2, 105: 3, 110: 8, 115: 8, 121: 9} {
		if got := s.Unsettled(100, next); got != want {
			t.Errorf("%d offsets are unsettled below %d, want %d", got, next, want)
		}
	}
}

// TestALongSpanDoesNotFit: the map of one span fits into the metadata only if the span
// has few records.
func TestALongSpanDoesNotFit(t *testing.T) {
	tr := New(0, State{})
	offsets := make([]int64, MaxSpanRecords+1)
	for i := range offsets {
		offsets[i] = int64(i)
	}
	if tr.Fits(offsets) {
		t.Errorf("a span of %d records fits", len(offsets))
	}
	if !tr.Fits(offsets[:MaxSpanRecords]) {
		t.Errorf("a span of %d records does not fit", MaxSpanRecords)
	}
}
