package main

import (
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

func printSettings(broker string) {
	fmt.Printf("broker: %s, on the same %d processors as the programs; %s %s/%s\n",
		broker, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("%d partitions in, %d out; values of %d bytes, uncompressed; Zipf keys (s = %.1f) over %d;\n",
		partitions, partitions, valueBytes, zipfS, keys)
	fmt.Printf("%d goroutines run the task in each program; %d rounds in turn; fresh group and output topic each time;\n",
		goroutines, rounds)
	fmt.Println("CPU is user and system time of the program's process; all figures are medians, spreads are min..max")
}

// printTable prints one task's results. Ratios refer to the baseline's median. The last
// column refers to the records that the task alone processes in a second of CPU time. The
// task's rate per second would be no measure for the programs, because it also has the
// broker's share of the processors.
func printTable(title string, records int, results map[string][]result) {
	fmt.Printf("\n%s, %d records\n", title, records)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "program\trecords/s\tmin..max\tCPU us/record\tmin..max\tpeak RSS MB\trecords/s\trecords/CPU-s\tof the pool's\t")
	base := summarise(results[baseline], records)
	limit := summarise(results["no Kafka"], records)
	for _, program := range order {
		s := summarise(results[program], records)
		rate, cpu, share := "", "", ""
		if program != "no Kafka" {
			rate = fmt.Sprintf("x %.2f", s.rate.Median/base.rate.Median)
			cpu = fmt.Sprintf("x %.2f", base.cpu.Median/s.cpu.Median)
			share = fmt.Sprintf("%.1f%%", 100*limit.cpu.Median/s.cpu.Median)
		}
		_, _ = fmt.Fprintf(table, "%s\t%.0f\t%.0f..%.0f\t%.3f\t%.3f..%.3f\t%.0f\t%s\t%s\t%s\t\n", program,
			s.rate.Median, s.rate.Min, s.rate.Max, s.cpu.Median, s.cpu.Min, s.cpu.Max, s.rss.Median, rate, cpu, share)
	}
	_ = table.Flush()
}

type figures struct {
	rate measure.Spread // records a second
	cpu  measure.Spread // microseconds a record
	rss  measure.Spread // megabytes
}

func summarise(results []result, records int) figures {
	n := float64(records)
	return figures{
		rate: measure.SpreadOf(results, func(r result) float64 { return n / r.Seconds }),
		cpu:  measure.SpreadOf(results, func(r result) float64 { return 1e6 * r.CPUSeconds / n }),
		rss:  measure.SpreadOf(results, func(r result) float64 { return float64(r.PeakRSS) / 1e6 }),
	}
}
