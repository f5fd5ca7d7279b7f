package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// createOutput creates a file for records, and compresses it if its name ends in .gz or
// .zst. A path that is another name of the standard output is that.
func createOutput(path string, stdout io.Writer) (io.WriteCloser, error) {
	if isStdout(path, stdout) {
		return uncloseable{stdout}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	switch filepath.Ext(path) {
	case ".gz":
		compressor := gzip.NewWriter(file)
		return compressed{compressor, closers{compressor, file}}, nil
	case ".zst":
		compressor, err := zstd.NewWriter(file)
		if err != nil {
			_ = file.Close()
			return nil, err
		}
		return compressed{compressor, closers{compressor, file}}, nil
	default:
		return file, nil
	}
}

// compressed is a file behind a compressor. Both are closed.
type compressed struct {
	io.Writer
	io.Closer
}

// uncloseable is a stream that outlives the run.
type uncloseable struct{ io.Writer }

// Close implements io.Closer.
func (uncloseable) Close() error { return nil }
