package drive

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/process"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
)

// pod keeps one process running, as a kubelet does: a process that ends is started again
// with the same state directory. A pod that replaces another has a new one.
type pod struct {
	name   string
	dir    string
	config subject.Config
	report func(check.Life)

	mu      sync.Mutex // guards all below
	running *process.Process
	life    check.Life // of the running process
	cause   string     // why the driver ended it by a kill, "" if it did not
	leaving bool       // it must not be started again
	started int
	done    chan struct{} // closed when the pod is gone
}

// crashCode is the exit code of a process that a record ended.
const crashCode = 3

func startPod(name, dir string, cfg subject.Config, report func(check.Life)) (*pod, error) {
	p := &pod{name: name, dir: filepath.Join(dir, name), config: cfg, report: report, done: make(chan struct{})}
	p.config.StateDir = filepath.Join(p.dir, "state")
	if err := os.MkdirAll(p.config.StateDir, 0o755); err != nil {
		return nil, err
	}
	go p.run()
	return p, nil
}

// run starts the process again and again until the pod leaves.
func (p *pod) run() {
	defer close(p.done)
	for pause := restartPause; ; pause = min(2*pause, maxRestartPause) {
		begun := time.Now()
		running, err := p.start()
		switch {
		case errors.Is(err, errLeaving):
			return
		case err != nil:
			p.report(check.Life{Process: p.name, Start: begun, End: time.Now(), Cause: fmt.Sprintf("did not start: %v", err)})
		default:
			<-running.Exited()
			p.ended(running)
		}
		if time.Since(begun) > time.Second {
			pause = restartPause
		}
		time.Sleep(pause)
	}
}

// errLeaving says that the pod starts no process any more.
var errLeaving = errors.New("the pod is leaving")

// The wait before a process is started again. It grows while processes end at once.
const (
	restartPause    = 100 * time.Millisecond
	maxRestartPause = 2 * time.Second
)

// start starts the next process.
func (p *pod) start() (*process.Process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving {
		return nil, errLeaving
	}
	p.started++
	cfg := p.config
	cfg.Process = fmt.Sprintf("%s.%d", p.name, p.started)
	cmd, closeLog, err := p.command(&cfg)
	if err != nil {
		return nil, err
	}
	defer closeLog()
	p.life = check.Life{Process: cfg.Process, Start: time.Now()}
	p.cause = ""
	p.running, err = process.Start(cmd)
	p.config.Listen = cfg.Listen
	return p.running, err
}

// command returns the command of a process, which is this program with another argument.
func (p *pod) command(cfg *subject.Config) (cmd *exec.Cmd, closeLog func(), err error) {
	if cfg.Listen, err = freeAddress(); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(p.dir, cfg.Process+".json")
	if err := cfg.Write(file); err != nil {
		return nil, nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	log, err := os.Create(filepath.Join(p.dir, cfg.Process+".log"))
	if err != nil {
		return nil, nil, err
	}
	cmd = exec.Command(program, "subject", file)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	return cmd, func() { _ = log.Close() }, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// ended reports the life of a process that has ended.
func (p *pod) ended(running *process.Process) {
	p.mu.Lock()
	life := p.life
	life.End = time.Now()
	life.Cause, life.Graceful = p.cause, false
	if p.cause == "" {
		life.Cause, life.Graceful = causeOf(running.Err())
	}
	p.running = nil
	p.mu.Unlock()
	p.report(life)
}

func causeOf(err error) (cause string, graceful bool) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exit 0", true
	case errors.As(err, &exit) && exit.ExitCode() == crashCode:
		return "crash on a record", false
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return "exit 1", true
	default:
		return err.Error(), false
	}
}

// kill ends the process at once. It reports which one, "" if none ran.
func (p *pod) kill(cause string) string {
	p.mu.Lock()
	running, name := p.running, p.life.Process
	if running != nil {
		p.cause = cause
	}
	p.mu.Unlock()
	if running == nil {
		return ""
	}
	running.Kill()
	return name
}

// leave keeps the process from being started again, and asks it to end.
func (p *pod) leave(ask bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = true
	if ask && p.running != nil {
		p.running.Terminate()
	}
}

// current returns the running process and its name, nil if none runs.
func (p *pod) current() (running *process.Process, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running, p.life.Process
}

// statusURL returns where the process serves its status.
func (p *pod) statusURL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return "http://" + p.config.Listen + "/status"
}
