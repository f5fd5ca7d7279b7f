package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// process is a program in the background. It has a separate process group, so that an interrupt
// from the terminal reaches only the test, which then stops the programs.
type process struct {
	name, log string
	exited    chan struct{}
	how       string // it ended; read after exited is closed
}

func start(name, log, path string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, log: log, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		p.how = cmd.ProcessState.String()
		close(p.exited)
	}()
	return p, nil
}

// ended returns an error if the program has ended.
func (p *process) ended() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s has ended (%v): see %s", p.name, p.how, p.log)
	default:
		return nil
	}
}
