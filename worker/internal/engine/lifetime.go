package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-logr/logr"
)

// lifetime identifies this process, and knows whether the process before it ended by
// itself. If this process, or one that ended by itself, left a partition open, then it
// had lost its membership or could not make its last commits. No record that crashes
// workers is to be looked for in such a partition.
type lifetime struct {
	process uint32 // this one
	ended   uint32 // the last one with the same state directory, if it ended by itself; or 0
	file    string // "" for none
	log     logr.Logger
	once    *sync.Once
}

// ending is the content of the file that names the last process which ended by
// itself.
type ending struct {
	Process uint32 `json:"process"`
}

func newLifetime(dir string, log logr.Logger) lifetime {
	l := lifetime{process: 1 + rand.Uint32N(1<<32-1), log: log, once: &sync.Once{}}
	if dir == "" {
		return l
	}
	l.file = filepath.Join(dir, "ended.json")
	var last ending
	content, err := os.ReadFile(l.file)
	if err == nil {
		err = json.Unmarshal(content, &last)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Error(err, "can't read whether the last worker process ended by itself; the partitions that it left open will be read carefully", "file", l.file)
	}
	l.ended = last.Process
	return l
}

// accounts reports whether a process left its partitions open for a known reason.
func (l *lifetime) accounts(process uint32) bool {
	return process == l.process || process == l.ended && process != 0
}

// note writes down that this process is ending. The engine calls it when the end
// begins, since a process that takes long is killed in the middle.
func (l *lifetime) note() {
	if l.file == "" {
		return
	}
	l.once.Do(func() {
		if err := writeEnding(l.file, ending{l.process}); err != nil {
			l.log.Error(err, "can't note that the worker process ends by itself; the partitions that it leaves open will be read carefully")
		}
	})
}

// writeEnding replaces the file as a whole: a process may be killed at any time.
func writeEnding(file string, e ending) error {
	content, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode a process's end: %w", err)
	}
	next := file + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("write the state file: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("replace the state file: %w", err)
	}
	return nil
}
