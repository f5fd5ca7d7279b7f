// Package committed reads what a worker notes with a committed offset, for checkers
// outside of the worker's own packages.
package committed

import "github.com/millrace-dev/millrace/worker/internal/offsets"

// Range holds the offsets from First up to, but not including, Next.
type Range struct{ First, Next int64 }

// Settled returns the offsets above a committed offset that the commit's metadata says to
// be settled. Metadata of other programs says nothing.
func Settled(metadata string, offset int64) ([]Range, error) {
	state, err := offsets.Decode(metadata, offset)
	if err != nil {
		return nil, err
	}
	ranges := make([]Range, len(state.Settled))
	for i, r := range state.Settled {
		ranges[i] = Range(r)
	}
	return ranges, nil
}
