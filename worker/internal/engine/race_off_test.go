//go:build !race

package engine_test

// raceEnabled reports whether the race detector is on, which takes memory and
// has pools forget what they hold.
const raceEnabled = false
