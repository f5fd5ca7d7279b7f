package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	kafkago "github.com/segmentio/kafka-go"
)

// A process that was killed stays in the group until its session times out, and
// until then nobody reads its partitions. The process that replaces it can
// remove it at once, if it knows its member id: members note that in a file.

// membership is the content of a MemberConfig.StateFile.
type membership struct {
	Group  string `json:"group"`
	Member string `json:"member"`
}

// succeed takes the member out of the group that an earlier process was, if that
// did not leave by itself. It must be over before this one joins, so that both
// changes are one rebalance. That it fails costs time only.
func (m *Member) succeed(ctx context.Context) {
	last, err := readMembership(m.cfg.StateFile)
	if err != nil {
		m.log.Error(err, "can't tell which member of the group an earlier process was; if it was killed, its session has to time out")
		return
	}
	if last.Member == "" || last.Group != m.cfg.GroupID {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.SessionTimeout)
	defer cancel()
	switch err := m.remove(ctx, last.Member); {
	case err == nil:
		m.log.Info("took the member out of the group that an earlier process was", "member", last.Member)
	case errors.Is(err, kafkago.UnknownMemberId), ctx.Err() != nil:
	default:
		m.log.Error(err, "can't take the member out of the group that an earlier process was; its session has to time out", "member", last.Member)
	}
}

func readMembership(file string) (last membership, err error) {
	if file == "" {
		return membership{}, nil
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return membership{}, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &last)
	}
	if err != nil {
		return membership{}, fmt.Errorf("read the state file %s: %w", file, err)
	}
	return last, nil
}

// note writes down which member this is. Only Run's goroutine calls it.
func (m *Member) note(id string) {
	if m.cfg.StateFile == "" || id == "" || id == m.noted {
		return
	}
	m.noted = id
	if err := writeMembership(m.cfg.StateFile, membership{Group: m.cfg.GroupID, Member: id}); err != nil {
		m.log.Error(err, "can't note which member of the group this is; if it is killed, its session has to time out")
	}
}

// writeMembership replaces the file as a whole: a process may be killed at any
// time.
func writeMembership(file string, now membership) error {
	content, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode a membership: %w", err)
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
