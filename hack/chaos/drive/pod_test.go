package drive

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
)

// TestMain makes this test's program the process of a pod, as the driver's program is: it
// waits for SIGTERM, or ends with the code that its configuration has as the group.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || os.Args[1] != "subject" {
		os.Exit(m.Run())
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	var cfg subject.Config
	if err := json.Unmarshal(text, &cfg); err != nil {
		panic(err)
	}
	if cfg.Group == "crash" {
		os.Exit(crashCode)
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	if err := os.WriteFile(cfg.StateDir+"/"+cfg.Process, nil, 0o600); err != nil {
		panic(err)
	}
	<-terminated
	os.Exit(0)
}

func newTestPods(t *testing.T, group string) *pods {
	p := newPods("w", t.TempDir(), subject.Config{Group: group}, newJournal(io.Discard), check.New(check.Settings{}))
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // kills what does not end at once
		p.stop(ctx)
	})
	return p
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := await(ctx, what, condition); err != nil {
		t.Fatal(err)
	}
}

// ready waits until a process of a pod has noted that it runs, in the pod's directory.
func ready(t *testing.T, p *pod, process string) {
	t.Helper()
	eventually(t, process+" runs", func() bool {
		_, err := os.Stat(p.config.StateDir + "/" + process)
		return err == nil
	})
}

// causes returns how the processes ended, in order.
func causes(p *pods) string {
	var all []string
	for _, l := range p.history() {
		how := l.Process + " " + l.Cause
		if l.Graceful {
			how += " gracefully"
		}
		all = append(all, how)
	}
	return strings.Join(all, ", ")
}

// TestKilledProcessIsStartedAgain: in the same pod, so with the same state directory.
func TestKilledProcessIsStartedAgain(t *testing.T) {
	p := newTestPods(t, "")
	one, err := p.add()
	if err != nil {
		t.Fatal(err)
	}
	ready(t, one, "w1.1")
	if _, err := p.killOne(context.Background(), rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	ready(t, one, "w1.2")
	one.leave(true)
	<-one.done
	if got, want := causes(p), "w1.1 kill -9, w1.2 exit 0 gracefully"; got != want {
		t.Errorf("the processes ended: %s, want %s", got, want)
	}
}

func TestCrashesOnRecordsAreTold(t *testing.T) {
	p := newTestPods(t, "crash")
	if _, err := p.add(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two crashes", func() bool { return len(p.history()) >= 2 })
	if got := causes(p); !strings.HasPrefix(got, "w1.1 crash on a record, w1.2 crash on a record") {
		t.Errorf("the processes ended: %s", got)
	}
}

// TestReplacedPodIsAnotherOne: the new process has a new state directory.
func TestReplacedPodIsAnotherOne(t *testing.T) {
	for seed := range uint64(4) { // both orders
		p := newTestPods(t, "")
		one, err := p.add()
		if err != nil {
			t.Fatal(err)
		}
		other, err := p.addBusy()
		if err != nil {
			t.Fatal(err)
		}
		ready(t, one, "w1.1")
		a, err := p.replaceOne(context.Background(), rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if a.end != nil {
			if err := a.end(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		all := p.list()
		if len(all) != 2 || all[0] != other || all[1] == one {
			t.Fatalf("the pods are %v", all)
		}
		ready(t, all[1], "w3.1")
		if all[1].config.StateDir == one.config.StateDir {
			t.Error("the new pod has the old one's state directory")
		}
		if got, want := causes(p), "w1.1 exit 0 gracefully"; got != want {
			t.Errorf("the processes ended: %s, want %s", got, want)
		}
	}
}

// TestNobodyRemovesThePodThatTakesOver: while the only pod is replaced there are two for a
// time, and another fault must not remove one of them.
func TestNobodyRemovesThePodThatTakesOver(t *testing.T) {
	p := newTestPods(t, "")
	one, err := p.add()
	if err != nil {
		t.Fatal(err)
	}
	ready(t, one, "w1.1")
	replaced := make(chan error, 1)
	go func() {
		_, err := p.replaceOne(context.Background(), rand.New(rand.NewPCG(1, 1)))
		replaced <- err
	}()
	eventually(t, "the other pod is there", func() bool { return len(p.list()) == 2 })
	if _, err := p.removeOne(context.Background(), rand.New(rand.NewPCG(1, 1))); !errors.Is(err, errNoPod) {
		t.Errorf("a fault removes a pod: %v", err)
	}
	if err := <-replaced; err != nil {
		t.Fatal(err)
	}
	if all := p.list(); len(all) != 1 || all[0] == one {
		t.Errorf("the pods are %v", all)
	}
}

// TestPausedPodIsForOneFault: no other fault picks it, until it goes on.
func TestPausedPodIsForOneFault(t *testing.T) {
	p := newTestPods(t, "")
	one, err := p.add()
	if err != nil {
		t.Fatal(err)
	}
	ready(t, one, "w1.1")
	pick := rand.New(rand.NewPCG(1, 1))
	a, err := p.pauseOne(context.Background(), pick)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.killOne(context.Background(), pick); !errors.Is(err, errNoPod) {
		t.Errorf("a fault picks a paused pod: %v", err)
	}
	if err := a.end(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.killOne(context.Background(), pick); err != nil {
		t.Errorf("no fault picks the pod any more: %v", err)
	}
}

func TestBoundsOfTheNumberOfPods(t *testing.T) {
	p := newTestPods(t, "")
	pick := rand.New(rand.NewPCG(1, 1))
	for range maxPods {
		if _, err := p.addOne(context.Background(), pick); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.addOne(context.Background(), pick); err == nil {
		t.Errorf("there are %d pods", len(p.list()))
	}
	for _, one := range p.list()[minPods:] {
		p.remove(one)
	}
	if _, err := p.removeOne(context.Background(), pick); err == nil {
		t.Errorf("there are %d pods", len(p.list()))
	}
}
