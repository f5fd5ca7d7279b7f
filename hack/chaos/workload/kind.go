package workload

import (
	"fmt"
	"math/rand/v2"
)

// Kind says how a record looks and what happens when a worker processes it.
type Kind uint8

// The kinds.
const (
	Plain     Kind = iota // one output
	NullKey               // one output; the key is null
	Tombstone             // one output; the value is null
	Filtered              // no output
	Twin                  // two outputs, with different keys
	Large                 // one output, near the largest that the topics take
	Slow                  // one output; the attempt takes long
	Flaky                 // one output; each process's first attempt fails
	PanicOnce             // one output; each process's first attempt panics
	Poison                // a dead letter; each attempt fails
	Panic                 // a dead letter; each attempt panics
	Oversize              // a dead letter; the output is larger than the topic takes
	Hang                  // a dead letter; no attempt returns
	Crash                 // a dead letter; each attempt ends the process
	CrashOnce             // one output; the first attempt of all ends the process
	kinds
)

// trait is what there is to know about a kind.
type trait struct {
	name    string
	share   int // of 100,000 records; 0 for kinds that come only when they are asked for
	outputs int
	letter  bool
}

var traits = [kinds]trait{
	Plain:     {name: "plain", outputs: 1},
	NullKey:   {name: "null-key", share: 5_000, outputs: 1},
	Tombstone: {name: "tombstone", share: 3_000, outputs: 1},
	Filtered:  {name: "filtered", share: 3_000},
	Twin:      {name: "twin", share: 3_000, outputs: 2},
	Large:     {name: "large", share: 30, outputs: 1},
	Slow:      {name: "slow", share: 150, outputs: 1},
	Flaky:     {name: "flaky", share: 200, outputs: 1},
	PanicOnce: {name: "panic-once", share: 50, outputs: 1},
	Poison:    {name: "poison", share: 100, letter: true},
	Panic:     {name: "panic", share: 30, letter: true},
	Oversize:  {name: "oversize", share: 20, letter: true},
	Hang:      {name: "hang", letter: true},
	Crash:     {name: "crash", letter: true},
	CrashOnce: {name: "crash-once", outputs: 1},
}

// String returns the kind's name.
func (k Kind) String() string { return traits[k].name }

// Outputs returns how many outputs a record of the kind has.
func (k Kind) Outputs() int { return traits[k].outputs }

// Attempted returns how many outputs a worker tries to write for a record of the kind.
// The broker refuses that of Oversize.
func (k Kind) Attempted() int {
	if k == Oversize {
		return 1
	}
	return k.Outputs()
}

// Letter reports whether a record of the kind ends as a dead letter.
func (k Kind) Letter() bool { return traits[k].letter }

// Kinds returns all kinds.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Draw picks a kind by the kinds' shares.
func Draw(pick *rand.Rand) Kind {
	n := pick.IntN(100_000)
	for k, t := range traits {
		if n < t.share {
			return Kind(k)
		}
		n -= t.share
	}
	return Plain
}

func parseKind(name string) (Kind, error) {
	for k, t := range traits {
		if t.name == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("there is no kind of record called %q", name)
}
