package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const filenamesUsage = "The `file` or directory with manifests, or - for the standard input; may be repeated"

// addFilenames adds -f as kubectl has it.
func addFilenames(flags *pflag.FlagSet, names *[]string) {
	flags.StringSliceVarP(names, "filename", "f", nil, filenamesUsage)
}

// casesSuffixes end the names of files with cases, which are no manifests.
var casesSuffixes = []string{".test.yaml", ".test.yml"}

func isCases(name string) bool {
	return slices.ContainsFunc(casesSuffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// manifestFiles replaces directories by the YAML and JSON files in them, without those below
// further directories, as kubectl does.
func manifestFiles(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("no manifest: name it with -f FILE")
	}
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-" || err == nil && !info.IsDir():
			files = append(files, name)
			continue
		case err != nil:
			return nil, fmt.Errorf("-f: %w", err)
		}
		found, err := filesIn(name)
		if err != nil {
			return nil, fmt.Errorf("-f: %w", err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("-f: %s has no file that ends in .yaml, .yml or .json", name)
		}
		files = append(files, found...)
	}
	return files, nil
}

func filesIn(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		if !entry.IsDir() && !isCases(entry.Name()) && slices.Contains([]string{".yaml", ".yml", ".json"}, extension) {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	return files, nil
}

// readInput reads a file that -f names.
func readInput(stdin io.Reader, name string) ([]byte, error) {
	var content []byte
	var err error
	if name == "-" {
		content, err = io.ReadAll(stdin)
	} else {
		content, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	return content, nil
}

// displayName returns the name of a file in messages.
func displayName(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// counted returns a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
