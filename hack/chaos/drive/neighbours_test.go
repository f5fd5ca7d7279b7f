package drive

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestNeighbours(t *testing.T) {
	before := load{busy: 100, total: 1000, ours: 50}
	after := load{busy: 200, total: 1200, ours: 90}
	if got := after.neighbours(before); got != 0.3 {
		t.Errorf("neighbours = %v, want 0.3", got)
	}
	if got := before.neighbours(before); got != 0 {
		t.Errorf("neighbours = %v without any time", got)
	}
}

// TestReadLoad: the time of this process and of its children is ours.
func TestReadLoad(t *testing.T) {
	if _, err := os.Stat("/proc/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	if all := children(); !slices.Contains(all, child.Process.Pid) {
		t.Errorf("the children are %v, want %d among them", all, child.Process.Pid)
	}
	before, ok := readLoad()
	if !ok {
		t.Fatal("the load can't be read")
	}
	for deadline := time.Now().Add(30 * time.Second); ; { // works until it shows
		after, _ := readLoad()
		if after.ours > before.ours && after.busy > before.busy && after.total > before.total {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the load was %+v and is %+v", before, after)
		}
	}
}
