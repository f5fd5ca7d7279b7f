package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// lineReader reads a file's lines. It decompresses files whose names end in .gz or
// .zst.
type lineReader struct {
	file    *os.File
	content io.ReadCloser
	buffer  *bufio.Reader
	path    string
	line    int // the number of the last line read, from 1
}

func openLines(path string) (*lineReader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := decompress(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	return &lineReader{file: file, content: content, buffer: bufio.NewReaderSize(content, 256<<10), path: path}, nil
}

func decompress(file *os.File) (io.ReadCloser, error) {
	switch filepath.Ext(file.Name()) {
	case ".gz":
		return gzip.NewReader(file)
	case ".zst":
		decoder, err := zstd.NewReader(file)
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	default:
		return io.NopCloser(file), nil
	}
}

// Next returns the next line without its line feed; the bytes belong to the caller.
// After the last line it returns io.EOF. A line feed at the end of the file does not
// begin another line.
func (r *lineReader) Next() ([]byte, error) {
	line, err := r.buffer.ReadBytes('\n')
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("read %s after line %d: %w", r.path, r.line, err)
	}
	r.line++
	return line, nil
}

// Close closes the file.
func (r *lineReader) Close() error { return errors.Join(r.content.Close(), r.file.Close()) }
