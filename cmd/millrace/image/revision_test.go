package image

import (
	"strings"
	"testing"
	"time"
)

func TestRevision(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "60")
	rev, err := FindRevision(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if rev.id != "" || !rev.time.Equal(time.Unix(60, 0)) {
		t.Errorf("got the revision %+v outside of version control", rev)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if _, err := FindRevision(t.TempDir()); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("got %v, want an error that names SOURCE_DATE_EPOCH", err)
	}
}
