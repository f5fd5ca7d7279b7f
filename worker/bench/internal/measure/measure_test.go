package measure

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// childVariable makes this test's program a process that TestTree measures. Its value says
// how many generations are still to come.
const childVariable = "MEASURE_TEST_GENERATIONS"

func TestMain(m *testing.M) {
	if generations := os.Getenv(childVariable); generations != "" {
		beAChild(generations)
		return
	}
	os.Exit(m.Run())
}

// worked is the CPU time of each generation.
const worked = 100 * time.Millisecond

// beAChild starts the next generation, works for a while, and waits until standard input ends.
func beAChild(generations string) {
	if generations == "1" {
		for CPU() < worked {
		}
	} else {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+generations[1:])
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if cmd.Start() != nil {
			os.Exit(1)
		}
		defer func() { _ = cmd.Wait() }()
	}
	_, _ = os.Stdout.WriteString("ready\n")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// TestTree: what a grandchild uses counts for its grandfather.
func TestTree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=..1")
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = hold.Close()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	for range 3 {
		if !lines.Scan() {
			t.Fatal("the processes have not started")
		}
	}
	u, err := Tree(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU < worked-2*tick {
		t.Errorf("the tree has used %v, want %v at least", u.CPU, worked)
	}
	if one := PeakRSS(cmd.Process.Pid); one == 0 || u.PeakRSS < 2*one {
		t.Errorf("the tree of three processes had %d bytes, and one of them %d", u.PeakRSS, one)
	}
}

func TestTreeOfNobody(t *testing.T) {
	if _, err := Tree(1 << 30); err == nil || !strings.Contains(err.Error(), "no process 1073741824") {
		t.Errorf("the error is %v", err)
	}
}

// TestParse: a program's name may look like the fields behind it.
func TestParse(t *testing.T) {
	s, err := parse("7 (a) S (1) S 5 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0")
	if err != nil || s.parent != 5 || s.cpu != 1100*time.Millisecond {
		t.Errorf("parent %d, %v, %v; want 5, 1.1s", s.parent, s.cpu, err)
	}
	if _, err := parse("7 (a) S"); err == nil {
		t.Error("a line without its fields is no error")
	}
}

func TestSpread(t *testing.T) {
	got := SpreadOf([]int{5, 1, 3}, func(n int) float64 { return float64(2 * n) })
	if got != (Spread{2, 6, 10}) {
		t.Errorf("the spread is %v", got)
	}
}
