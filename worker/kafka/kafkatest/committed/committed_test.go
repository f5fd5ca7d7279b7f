package committed

import (
	"slices"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

func TestSettled(t *testing.T) {
	state := offsets.State{Settled: []offsets.Range{{First: 12, Next: 15}, {First: 20, Next: 21}}}
	got, err := Settled(state.Encode(10), 10)
	if want := []Range{{12, 15}, {20, 21}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Settled = %v, %v, want %v", got, err, want)
	}
	if _, err := Settled(state.Encode(10), 11); err == nil {
		t.Error("metadata of another offset is taken")
	}
	if got, err := Settled("another program's", 10); err != nil || len(got) > 0 {
		t.Errorf("Settled = %v, %v for another program's metadata", got, err)
	}
}
