// Command scaling-report replays the simulator's scenarios and draws the decisions of the
// autoscaling on one self-contained HTML page.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/controllers/scaling/simulate"
)

func main() {
	output := flag.String("o", "bin/scaling-report.html", "the page to write")
	flag.Parse()
	if err := write(*output); err != nil {
		fmt.Fprintln(os.Stderr, "scaling-report:", err)
		os.Exit(1)
	}
	fmt.Println("The page is", *output)
}

func write(path string) error {
	var runs []*simulate.Run
	for _, s := range simulate.Scenarios() {
		runs = append(runs, simulate.Play(s))
	}
	text, err := page(runs)
	if err != nil {
		return fmt.Errorf("draw the page: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
