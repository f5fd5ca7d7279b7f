package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	inputBuffer = 256 << 10
	// maxWindow bounds the memory to decompress zstd: as much as zstd --long needs.
	maxWindow = 128 << 20
)

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	gzipMagic     = []byte("\x1f\x8b")
	zstdMagic     = []byte("\x28\xb5\x2f\xfd")
)

// openInput opens a file for reading; - is the standard input. It decompresses files whose
// names end in .gz or .zst, and compressed data on the standard input. It skips a byte
// order mark.
func openInput(path string) (*bufio.Reader, io.Closer, error) {
	file, err := os.Stdin, error(nil)
	if path != standardStream {
		if file, err = os.Open(path); err != nil {
			return nil, nil, err
		}
	}
	content, closer, err := decompress(bufio.NewReaderSize(file, inputBuffer), path)
	closers := closers{closer}
	if path != standardStream {
		closers = append(closers, file)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read %s: %w", path, err), closers.Close())
	}
	// An error shows again when the first line is read.
	if start, _ := content.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = content.Discard(len(byteOrderMark))
	}
	return content, closers, nil
}

// decompress returns the content of a file. The caller closes the second result after reading.
func decompress(file *bufio.Reader, path string) (*bufio.Reader, io.Closer, error) {
	switch compressionOf(file, path) {
	case ".gz":
		content, err := gzip.NewReader(file)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(content, inputBuffer), content, nil
	case ".zst":
		decoder, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		content := decoder.IOReadCloser()
		return bufio.NewReaderSize(content, inputBuffer), content, nil
	default:
		return file, nil, nil
	}
}

// compressionOf returns the extension of the compression: the standard input, which has no
// name, shows it by its first bytes.
func compressionOf(file *bufio.Reader, path string) string {
	if path != standardStream {
		return filepath.Ext(path)
	}
	start, _ := file.Peek(len(zstdMagic)) // an error shows again when the content is read
	switch {
	case bytes.HasPrefix(start, gzipMagic):
		return ".gz"
	case bytes.Equal(start, zstdMagic):
		return ".zst"
	default:
		return ""
	}
}

// closers are closed together, in their order. Some may be nil.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, closer := range c {
		if closer != nil {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}
