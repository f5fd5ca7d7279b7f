package process_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/process"
)

// TestPausedProcessIsStillKilled: a paused process says nothing, goes on after the pause,
// and can be killed in it.
func TestPausedProcessIsStillKilled(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	echo := func(word string) {
		if _, err := in.Write([]byte(word + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	answers := bufio.NewScanner(out)
	echo("before")
	answers.Scan()
	p.Pause()
	if !p.Paused() || !p.Running() {
		t.Fatal("a paused process counts as running")
	}
	awaitState(t, p.PID(), "T")
	p.Continue()
	echo("after")
	if answers.Scan(); answers.Text() != "after" {
		t.Fatalf("got %q from a process that goes on, want after", answers.Text())
	}
	p.Pause()
	p.Kill()
	if p.Running() || p.Err() == nil {
		t.Error("a killed process counts as running, or as ended well")
	}
}

// TestTerminate: a process that handles SIGTERM ends as it wants.
func TestTerminate(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	bufio.NewScanner(out).Scan()
	p.Terminate()
	if err := p.Err(); err != nil {
		t.Errorf("the process ended with %v, want code 0", err)
	}
}

// awaitState waits until /proc shows a state for a process.
func awaitState(t *testing.T, pid int, state string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if os.IsNotExist(err) {
			t.Skip("there is no /proc")
		}
		if _, rest, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(rest, state) {
			return
		}
	}
	t.Fatalf("process %d did not get to state %s", pid, state)
}
