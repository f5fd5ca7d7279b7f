// Command demodata writes the input files of the samples: a day of a shop's access log and a
// queue of customers' messages.
//
// It generates both from a fixed seed, so that it always writes the same bytes. A test checks
// the committed files.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// dir is the folder of the samples' input, relative to the repository's root.
const dir = "config/samples/data"

// datasets are the files to write, each with the function that writes its lines.
var datasets = map[string]func(io.Writer) error{
	"access.jsonl.zst":   writeAccessLog,
	"messages.jsonl.zst": writeMessages,
}

func main() {
	for name, write := range datasets {
		path := filepath.Join(dir, name)
		if err := writeCompressed(path, write); err != nil {
			fmt.Fprintln(os.Stderr, "demodata: "+err.Error())
			os.Exit(1)
		}
	}
}

func writeCompressed(path string, write func(io.Writer) error) error {
	var file bytes.Buffer
	encoder, err := zstd.NewWriter(&file, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("compress %s: %w", path, err)
	}
	if err := write(encoder); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("compress %s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o644)
}
