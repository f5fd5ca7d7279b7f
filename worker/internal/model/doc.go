// Package model runs whole workers over the simulated cluster of package broker, on the
// virtual clock of testing/synctest: the real engine, group member, fetcher, producer and
// transactions, with assignments that change, workers that are cut off or dropped, and
// requests and answers that get lost or late.
//
// A seed decides a schedule's configuration and its faults. The Go scheduler decides how
// goroutines interleave, so a seed repeats the schedule and not each step of it.
//
// Everything is in the package's tests.
package model
