package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// standardStream is the path that names the standard input or output.
const standardStream = "-"

// mostLinks bounds how many links to follow from one path.
const mostLinks = 40

// namedFile is a file that the user has named, or the standard output.
type namedFile struct {
	name    string // the flag and its value, for errors
	place   place
	written bool
}

// place identifies the file behind a path, whatever links lead there.
type place struct {
	info fs.FileInfo // nil for a file that does not exist yet
	path string      // of a file that does not exist yet, without links
}

// placeOf returns the place of a path without opening it. Nothing is known about a path
// that can't be looked at: opening it fails and says why.
func placeOf(path string, stream any) (p place, known bool) {
	if path == standardStream {
		return placeOfStream(stream)
	}
	info, err := os.Stat(path)
	if err == nil {
		return place{info: info}, true
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return place{}, false
	}
	// The file that a link without a target would create is the target.
	for range mostLinks {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return place{}, false
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return place{}, false
	}
	return place{path: filepath.Join(dir, filepath.Base(path))}, true
}

// placeOfStream returns the place of the standard input or output, which is no file in
// tests.
func placeOfStream(stream any) (p place, known bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return place{path: standardStream}, true
	}
	info, err := file.Stat()
	return place{info: info}, err == nil
}

func (p place) is(q place) bool {
	if p.info == nil || q.info == nil {
		return p.info == nil && q.info == nil && p.path == q.path
	}
	return os.SameFile(p.info, q.info)
}

// device reports whether the place is a terminal or /dev/null, which lose nothing when
// several streams share them.
func (p place) device() bool { return p.info != nil && p.info.Mode()&fs.ModeCharDevice != 0 }

// regular reports whether several readers of the place get the same.
func (p place) regular() bool { return p.info != nil && p.info.Mode().IsRegular() }

// files are the files of a run.
type files struct {
	stdout io.Writer
	named  []namedFile
}

// reads adds a file that the run reads.
func (f *files) reads(flag, path string) {
	if path == "" {
		return
	}
	if p, known := placeOf(path, os.Stdin); known {
		f.named = append(f.named, namedFile{name: flag + " " + path, place: p})
	}
}

// writes adds a file that the run writes.
func (f *files) writes(flag, path string) {
	if path == "" {
		return
	}
	if p, known := placeOf(path, f.stdout); known {
		f.named = append(f.named, namedFile{name: flag + " " + path, place: p, written: true})
	}
}

// check returns an error if the run would write a file that it also reads, or write a
// file under two names.
func (f *files) check() error {
	for i, a := range f.named {
		for _, b := range f.named[i+1:] {
			if !a.place.is(b.place) || a.place.device() || !a.written && !b.written && a.place.regular() {
				continue
			}
			return fmt.Errorf("%s and %s are the same file: name another one for one of them", a.name, b.name)
		}
	}
	return nil
}

// writesStdout reports whether one of the run's files is the standard output.
func (f *files) writesStdout() bool {
	p, known := placeOf(standardStream, f.stdout)
	for _, file := range f.named {
		if known && file.written && file.place.is(p) {
			return true
		}
	}
	return false
}

// writesText adds the standard output, for the text for people.
func (f *files) writesText() {
	if p, known := placeOf(standardStream, f.stdout); known {
		f.named = append(f.named, namedFile{name: "the standard output", place: p, written: true})
	}
}

// isStdout reports whether a path names the standard output. Opening that by its name,
// such as /dev/stdout, would write over what a redirected file has already.
func isStdout(path string, stdout io.Writer) bool {
	p, known := placeOf(path, stdout)
	q, also := placeOf(standardStream, stdout)
	return known && also && p.is(q)
}
