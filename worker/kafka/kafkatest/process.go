package kafkatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// script returns the path of hack/kafka.sh, which downloads and runs Apache Kafka.
func script(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return filepath.Join(dir, "hack", "kafka.sh")
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	tb.Fatal("found no go.mod above the working directory: can't tell where hack/kafka.sh is")
	return ""
}

// requireKafka skips the test on a machine without Apache Kafka; in continuous
// integration it fails the test instead.
func requireKafka(tb testing.TB, release string) {
	tb.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		prerequisite.Missing(tb, "needs Apache Kafka, and Java is missing (install a JRE of version 17 or newer)")
	}
	if out, err := kafkaCommand(release, script(tb), "fetch").CombinedOutput(); err != nil {
		prerequisite.Missing(tb, "needs Apache Kafka, which could not be fetched: %s", out)
	}
}

// kafkaCommand returns a command of hack/kafka.sh for a release of Kafka; "" is the
// script's default.
func kafkaCommand(release, script string, args ...string) *exec.Cmd {
	cmd := exec.Command(script, args...)
	if release != "" {
		cmd.Env = append(os.Environ(), "KAFKA_VERSION="+release)
	}
	return cmd
}

// process is a running broker.
type process struct {
	process *os.Process
	exited  chan struct{}
	err     error // of its end; read it only after exited is closed
}

// start runs hack/kafka.sh run, whose process becomes the JVM.
func start(release, script, properties string, log *os.File) (*process, error) {
	cmd := kafkaCommand(release, script, "run", properties)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	p := &process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// To the kernel, this thread is the parent of the process; see dieWithParent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.process = cmd.Process
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", script, err)
	}
	return p, nil
}

// end sends a signal and waits until the process has ended. It may have ended before.
func (p *process) end(signal syscall.Signal) {
	_ = p.process.Signal(signal)
	<-p.exited
}
