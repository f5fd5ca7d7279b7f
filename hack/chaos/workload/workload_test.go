package workload

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestIDsAreReadBack(t *testing.T) {
	pick := rand.New(rand.NewPCG(1, 2))
	for _, kind := range Kinds() {
		want := ID{Partition: pick.Int32N(100), Seq: pick.Int64(), Key: pick.IntN(100) - 1, KeySeq: pick.Int64(), Kind: kind}
		got, err := Parse(want.String())
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v", want, got, err)
		}
	}
	for _, text := range []string{"", "1 2 3 4", "1 2 3 4 plain 5", "1 2 x 4 plain", "1 2 3 4 unheard-of"} {
		if id, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v without an error", text, id)
		}
	}
}

// TestValuesFollowFromTheID: the checker makes the values again, so they must be the
// same each time, and others for another record.
func TestValuesFollowFromTheID(t *testing.T) {
	id := ID{Partition: 1, Seq: 7, Key: 3, KeySeq: 2}
	if !bytes.Equal(id.Value(), id.Value()) {
		t.Error("a record's value changes")
	}
	other := id
	other.Seq++
	if bytes.Equal(id.Value(), other.Value()) {
		t.Error("two records have the same value")
	}
	twin := ID{Kind: Twin}
	if bytes.Equal(OutputValue(Twin, twin.Value(), 0), OutputValue(Twin, twin.Value(), 1)) {
		t.Error("the outputs of one record have the same value")
	}
}

func TestNullStaysNull(t *testing.T) {
	if v := (ID{Kind: Tombstone}).Value(); v != nil || OutputValue(Tombstone, v, 0) != nil {
		t.Error("a tombstone has a value")
	}
	if (ID{Key: -1}).OutputKey(1) != nil {
		t.Error("a null key becomes another one")
	}
}

func TestSizesAgainstTheTopicsLimit(t *testing.T) {
	if n := len(ID{Kind: Large}.Value()); n < MaxMessageBytes-2048 || n > MaxMessageBytes-1024 {
		t.Errorf("a large record has %d bytes", n)
	}
	oversize := ID{Kind: Oversize}.Value()
	if n := len(oversize); n > MaxMessageBytes-2048 {
		t.Errorf("the dead letter of an oversize record would not fit: %d bytes", n)
	}
	if n := len(OutputValue(Oversize, oversize, 0)); n <= MaxMessageBytes {
		t.Errorf("the output of an oversize record has only %d bytes", n)
	}
}

// TestDrawnKinds: those that end or block a process come only when they are asked for.
func TestDrawnKinds(t *testing.T) {
	pick := rand.New(rand.NewPCG(3, 4))
	seen := map[Kind]int{}
	for range 200_000 {
		seen[Draw(pick)]++
	}
	for _, kind := range Kinds() {
		if asked := kind == Hang || kind == Crash || kind == CrashOnce; asked != (seen[kind] == 0) {
			t.Errorf("%s was drawn %d times", kind, seen[kind])
		}
	}
}
