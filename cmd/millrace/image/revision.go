package image

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Revision is the commit of a program.
type Revision struct {
	id   string // with -dirty if there are changes on top; "" outside of version control
	time time.Time
}

// FindRevision asks git for the commit. SOURCE_DATE_EPOCH, if set, replaces the time of the
// commit.
func FindRevision(dir string) (Revision, error) {
	rev := Revision{time: time.Unix(0, 0).UTC()}
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if commit, err := git(dir, "log", "-1", "--format=%H %ct"); err == nil {
		id, committed, _ := strings.Cut(commit, " ")
		rev.id = id
		if changes, err := git(dir, "status", "--porcelain"); err != nil || changes != "" {
			rev.id += "-dirty"
		}
		if seconds == "" {
			seconds = committed
		}
	}
	if seconds == "" {
		return rev, nil
	}
	epoch, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return rev, fmt.Errorf("the time of the source (SOURCE_DATE_EPOCH or the commit's): %w", err)
	}
	rev.time = time.Unix(epoch, 0).UTC()
	return rev, nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
