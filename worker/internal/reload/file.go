// Package reload has a running worker take over a file that changes: the expressions of
// the built-in processor. It looks at the content once a second, since a notification of
// the file system is easily missed where a directory is replaced, as a kubelet does.
package reload

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// interval is the time between two looks at a file.
const interval = time.Second

// File is a file whose content is in use. Its methods are safe for concurrent use.
type File struct {
	path string
	take func(content []byte) error

	mu sync.Mutex
	// status has the version in use; guarded by mu.
	status workerstatus.Expressions
	// failure is the text of the last error that was logged, "" after a success; guarded
	// by mu.
	failure string
}

// Open reads the file at path and takes its content over by calling take. It returns an
// error if the file can't be read or take refuses it.
func Open(path string, take func(content []byte) error) (*File, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the expressions: %w", err)
	}
	f := &File{path: path, take: take}
	if err := f.try(content); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.status = workerstatus.Expressions{Version: config.ExpressionsVersion(content), Since: time.Now()}
	return f, nil
}

// Status describes the content in use.
func (f *File) Status() workerstatus.Expressions {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Watch takes each change of the file over until ctx ends. It calls take from its
// goroutine only. While take refuses the content, the content before stays in use.
func (f *File) Watch(ctx context.Context, log logr.Logger) {
	log.Info("running expressions", "version", f.Status().Version, "file", f.path)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look(log)
		}
	}
}

// look takes the content over if it has changed.
func (f *File) look(log logr.Logger) {
	content, err := os.ReadFile(f.path)
	if err != nil {
		f.refuse(log, "", err)
		return
	}
	switch version, now := config.ExpressionsVersion(content), f.Status(); version {
	case now.Refused:
	case now.Version:
		f.use(version, now.Since)
	default:
		if err := f.try(content); err != nil {
			f.refuse(log, version, err)
			return
		}
		f.use(version, time.Now())
		log.Info("changed to other expressions; each record is processed by either version as a whole", "version", version, "before", now.Version)
	}
}

// try calls take. A panic is an error, since the former content can stay in use.
func (f *File) try(content []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the expressions can't be compiled: a panic: %v", v)
		}
	}()
	return f.take(content)
}

func (f *File) use(version string, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status, f.failure = workerstatus.Expressions{Version: version, Since: since}, ""
}

// refuse notes why the content can't be used, and logs it once. version is "" if the file
// can't be read.
func (f *File) refuse(log logr.Logger, version string, err error) {
	f.mu.Lock()
	inUse, known := f.status.Version, f.failure == err.Error()
	f.status.Refused, f.status.Error, f.failure = version, err.Error(), err.Error()
	f.mu.Unlock()
	if !known {
		log.Error(err, "the changed expressions can't be used, the former ones stay in use", "refused", version, "inUse", inUse, "file", f.path)
	}
}
