//go:build race

package engine_test

// raceEnabled: the race detector multiplies memory.
const raceEnabled = true
