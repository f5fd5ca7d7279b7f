package group

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
)

// A killed process stays in the group until its session times out, and until then
// nobody reads its partitions. Its successor can remove it at once if it knows the
// member id. So members save their id in a file.

// savedMember is the content of Config.StateFile.
type savedMember struct {
	Group  string `json:"group"`
	Member string `json:"member"`
}

// stateFile holds the id of the process's member. It belongs to the goroutine of
// Member.Run.
type stateFile struct {
	path  string // "" is no file
	group string
	log   logr.Logger
	saved string // the id in the file
}

// removePredecessor removes the member of the process before this one from the
// group, if that did not leave by itself. It runs before this process joins, so
// that both changes are one rebalance. A failure costs time only.
func (j *joiner) removePredecessor(ctx context.Context) {
	last, err := readSavedMember(j.file.path)
	if err != nil {
		j.log.Error(err, "can't read the member id of the previous process; if that process was killed, its session has to time out")
		return
	}
	if last.Member == "" || last.Group != j.cfg.GroupID {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.SessionTimeout)
	defer cancel()
	switch err := j.group.remove(ctx, last.Member); {
	case err == nil:
		j.log.Info("removed the member of the previous process from the group", "member", last.Member)
	case errors.Is(err, kafkago.UnknownMemberId), ctx.Err() != nil:
	default:
		j.log.Error(err, "can't remove the member of the previous process from the group; its session has to time out", "member", last.Member)
	}
}

func readSavedMember(file string) (last savedMember, err error) {
	if file == "" {
		return savedMember{}, nil
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return savedMember{}, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &last)
	}
	if err != nil {
		return savedMember{}, fmt.Errorf("read the state file %s: %w", file, err)
	}
	return last, nil
}

// save writes the member's id to the file, unless it is there already.
func (f *stateFile) save(id string) {
	if f.path == "" || id == "" || id == f.saved {
		return
	}
	f.saved = id
	if err := writeSavedMember(f.path, savedMember{Group: f.group, Member: id}); err != nil {
		f.log.Error(err, "can't save the member id; if this process is killed, its session has to time out")
	}
}

// writeSavedMember replaces the file as a whole: a process may be killed at any
// time.
func writeSavedMember(file string, now savedMember) error {
	content, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode the member id: %w", err)
	}
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".next")
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("write the state file: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("replace the state file: %w", err)
	}
	return nil
}
