// Command prose counts the sentences that a reader stumbles over: those that hang
// on a bare "what is" or "who has" clause, and those with words that everyday
// English has given up. It reads the comments and strings of Go files, Markdown,
// and the comments and texts of YAML, shell and other files, and prints each such
// sentence with its place, then the share of each package and of the whole.
//
//	go run ./hack/prose                      the whole repository
//	go run ./hack/prose worker/kafka docs    these folders and files only
//	go run ./hack/prose -max 1               exit code 1 above 1% in total or in a package
//
// A package may have one such sentence whatever its share, so that a small one
// does not fail for a single judgement. A question ("What is lost?"), text in
// backquotes or double quotes, and a person ("a user who reads") are no habit.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("prose: ")
	limit := flag.Float64("max", 0, "the highest share of such sentences in percent, of a package and in total (0: no limit)")
	quiet := flag.Bool("q", false, "print no sentences, only the shares")
	flag.Parse()
	files, err := tracked(flag.Args())
	if err != nil {
		log.Fatal(err)
	}
	report := &report{packages: map[string]count{}}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // deleted, and the deletion not committed
		}
		if err != nil {
			log.Fatal(err)
		}
		if err := report.add(file, content); err != nil {
			log.Fatal(err)
		}
	}
	report.print(os.Stdout, *quiet)
	if above := report.above(*limit); len(above) > 0 {
		log.Fatalf("more than %g%% of the sentences: %s", *limit, strings.Join(above, ", "))
	}
}

// tracked returns the files that are or could be committed, below the given paths.
func tracked(paths []string) ([]string, error) {
	command := exec.Command("git", append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, paths...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var files []string
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if len(name) > 0 && !slices.Contains(files, string(name)) {
			files = append(files, string(name))
		}
	}
	return files, nil
}

// count is a number of sentences, and how many of them have a habit.
type count struct{ sentences, found int }

func (c count) share() float64 {
	if c.sentences == 0 {
		return 0
	}
	return 100 * float64(c.found) / float64(c.sentences)
}

// report is the result for all files.
type report struct {
	packages map[string]count
	total    count
	lines    []string
}

func (r *report) add(file string, content []byte) error {
	sentences, err := sentencesOf(file, content)
	if err != nil {
		return err
	}
	of := r.packages[path.Dir(file)]
	for _, s := range sentences {
		of.sentences++
		r.total.sentences++
		if habit := habitOf(s.text); habit != "" {
			of.found++
			r.total.found++
			r.lines = append(r.lines, fmt.Sprintf("%s:%d: %s: %s", file, s.line, habit, s.text))
		}
	}
	if of.sentences > 0 {
		r.packages[path.Dir(file)] = of
	}
	return nil
}

func (r *report) print(out io.Writer, quiet bool) {
	if !quiet {
		for _, line := range r.lines {
			_, _ = fmt.Fprintln(out, line)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		if of := r.packages[name]; of.found > 0 {
			_, _ = fmt.Fprintf(out, "%6.2f%% %5d of %6d sentences: %s\n", of.share(), of.found, of.sentences, name)
		}
	}
	_, _ = fmt.Fprintf(out, "%6.2f%% %5d of %6d sentences in total\n", r.total.share(), r.total.found, r.total.sentences)
}

// above returns the names of the packages whose share is above a limit in percent,
// and "the whole" if that is.
func (r *report) above(limit float64) []string {
	if limit <= 0 {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		if of := r.packages[name]; of.found > 1 && of.share() > limit {
			names = append(names, name)
		}
	}
	if r.total.share() > limit {
		names = append(names, "the whole")
	}
	return names
}
