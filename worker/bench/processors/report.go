package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// load returns the load of the machine over the last minute, "unknown" where there is none.
func load() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(content), " ")
	return first
}

// write writes the report. before is the load before the first turn.
func write(w io.Writer, subjects []subject, s settings, results map[string][]result, before string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d processors; %s %s/%s; a load of %s before the first turn.\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, before)
	fmt.Fprintf(&b, "Records of %d bytes, %d of them the key, in batches of %d. %d rounds in turn, each of %s after %s to warm up.\n\n",
		keyBytes+valueBytes, keyBytes, batchRecords, s.Rounds, s.Measured, s.WarmUp)
	b.WriteString("| processor | processes | records/s | worker, us/record | program, us/record | worker, MB | program, MB |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|\n")
	for _, subject := range subjects {
		f := figuresOf(results[subject.Name])
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %.0f | %.0f |\n", subject.Name, subject.Processes,
			text(f.rate, "%.0f"), text(f.worker, "%.3f"), text(f.program, "%.3f"), f.workerRSS.Max, f.programRSS.Max)
	}
	b.WriteString("\nEach figure is a median, with the lowest and the highest behind it. Time is user and system time of the CPU; memory is the highest of all rounds.\n")
	writeBounds(&b, results)
	_, err := io.WriteString(w, b.String())
	return err
}

func text(s measure.Spread, format string) string {
	return fmt.Sprintf(format+" ("+format+"..."+format+")", s.Median, s.Min, s.Max)
}

// figures are those of all turns of a subject.
type figures struct {
	rate                  measure.Spread // records a second
	worker, program       measure.Spread // microseconds of CPU time a record
	workerRSS, programRSS measure.Spread // megabytes
}

func figuresOf(results []result) figures {
	micros := func(of func(r result) usage) measure.Spread {
		return measure.SpreadOf(results, func(r result) float64 { return 1e6 * of(r).CPUSeconds / float64(r.Records) })
	}
	megabytes := func(of func(r result) usage) measure.Spread {
		return measure.SpreadOf(results, func(r result) float64 { return float64(of(r).PeakRSS) / 1e6 })
	}
	worker, program := func(r result) usage { return r.Worker }, func(r result) usage { return r.Program }
	return figures{
		rate:   measure.SpreadOf(results, func(r result) float64 { return float64(r.Records) / r.Seconds }),
		worker: micros(worker), program: micros(program),
		workerRSS: megabytes(worker), programRSS: megabytes(program),
	}
}

// writeBounds writes the bounds that this project sets itself, and the figures. It leaves out
// bounds about subjects that were not measured.
func writeBounds(b *strings.Builder, results map[string][]result) {
	b.WriteString("\n| bound | measured | kept |\n|---|--:|---|\n")
	if r := results[goSidecar]; r != nil {
		f := figuresOf(r)
		bound(b, "the worker's side of a sidecar takes less than 1 us a record", text(f.worker, "%.3f"), f.worker.Median < 1)
	}
	if r := results[rustSidecar]; r != nil {
		f := figuresOf(r)
		bound(b, "Rust processes more than 1,000,000 records/s", text(f.rate, "%.0f"), f.rate.Median > 1e6)
	}
	if r, sync, async := results[pythonOne], results[mapServer], results[mapAsync]; r != nil && sync != nil && async != nil {
		ratio := min(figuresOf(sync).program.Median, figuresOf(async).program.Median) / figuresOf(r).program.Median
		bound(b, "Python processes 5 times the records of pynumaflow's faster server in a second of CPU time", fmt.Sprintf("x %.1f", ratio), ratio >= 5)
	}
}

func bound(b *strings.Builder, promise, measured string, kept bool) {
	answer := "no"
	if kept {
		answer = "yes"
	}
	fmt.Fprintf(b, "| %s | %s | %s |\n", promise, measured, answer)
}
