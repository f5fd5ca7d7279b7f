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
	"slices"

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
	utf16Marks    = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// openInput opens a file for reading; - is the standard input. It decompresses what gzip and
// zstd have compressed, whatever its name is. It skips a byte order mark, and refuses
// directories and UTF-16.
func openInput(path string) (*bufio.Reader, io.Closer, error) {
	file, err := os.Stdin, error(nil)
	if path != standardStream {
		if file, err = os.Open(path); err != nil {
			return nil, nil, err
		}
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return nil, nil, errors.Join(fmt.Errorf("%s is a directory: name a file in it", path), file.Close())
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
	start, _ := content.Peek(len(utf16Marks[0]))
	if slices.ContainsFunc(utf16Marks, func(mark []byte) bool { return bytes.Equal(start, mark) }) {
		return nil, nil, errors.Join(fmt.Errorf("%s is in UTF-16: convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8", path), closers.Close())
	}
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
		if errors.Is(err, gzip.ErrHeader) {
			return nil, nil, errors.New("its name ends in .gz, but its content is not compressed with gzip: rename it")
		}
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

// compressionOf returns the extension of the compression. The first bytes of the content
// show it, or else the name.
func compressionOf(file *bufio.Reader, path string) string {
	start, _ := file.Peek(len(zstdMagic)) // an error shows again when the content is read
	switch {
	case bytes.HasPrefix(start, gzipMagic):
		return ".gz"
	case bytes.Equal(start, zstdMagic):
		return ".zst"
	default:
		return filepath.Ext(path)
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
