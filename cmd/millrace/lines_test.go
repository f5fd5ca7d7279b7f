package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	for _, record := range readRecords(t, openFile(t, path, formatLines)) {
		all = append(all, string(record.Value))
	}
	return all
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t *testing.T, content []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll(content, nil)
}

func TestLinesAreReadAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"empty file":              {"", nil},
		"one line":                {"a\n", []string{"a"}},
		"last line has no end":    {"a\nb", []string{"a", "b"}},
		"empty lines are records": {"\na\n\n", []string{"", "a", ""}},
		"line ends of Windows":    {"a\r\n\r\nb\rc\r\nd", []string{"a", "", "b\rc", "d"}},
		"a byte order mark":       {"\xef\xbb\xbfa\n\xef\xbb\xbf\n", []string{"a", "\xef\xbb\xbf"}},
		"a long line":             {strings.Repeat("a", 3*inputBuffer) + "\nb", []string{strings.Repeat("a", 3*inputBuffer), "b"}},
		"bytes that are no text":  {"\x00\xff\n", []string{"\x00\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readLines(t, writeFile(t, "in.jsonl", []byte(c.content))); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestLinesAreDecompressed: the content of a file shows its compression.
func TestLinesAreDecompressed(t *testing.T) {
	content := bytes.Repeat([]byte("a line of some length\n"), 50_000)
	for name, stored := range map[string][]byte{
		"in.jsonl":     content,
		"in.jsonl.gz":  gzipped(t, content),
		"in.jsonl.zst": zstded(t, content),
		"gzip.jsonl":   gzipped(t, content),
		"zstd.jsonl":   zstded(t, content),
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(readLines(t, writeFile(t, name, stored))); got != 50_000 {
				t.Errorf("%d lines, want 50000", got)
			}
		})
	}
}

func TestLinesOfADamagedFile(t *testing.T) {
	stored := gzipped(t, bytes.Repeat([]byte("line\n"), 1000))
	records, err := openFile(t, writeFile(t, "in.gz", stored[:len(stored)-4]), formatLines), error(nil)
	for err == nil {
		_, err = records.Next(t.Context())
	}
	if errors.Is(err, io.EOF) {
		t.Error("reading a truncated file to its end returned no error")
	}
}

// TestFilesThatAreRefused: the error says what to do about the file, before anything runs.
func TestFilesThatAreRefused(t *testing.T) {
	for path, want := range map[string]string{
		writeFile(t, "in.gz", []byte("no gzip file")):   "its name ends in .gz, but its content is not compressed with gzip: rename it",
		writeFile(t, "le.txt", []byte("\xff\xfea\x00")): "is in UTF-16: convert it to UTF-8",
		writeFile(t, "be.txt", []byte("\xfe\xff\x00a")): "is in UTF-16: convert it to UTF-8",
		t.TempDir(): "is a directory: name a file in it",
	} {
		if _, err := openRecords(path, formatLines); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", path, err, want)
		}
	}
}
