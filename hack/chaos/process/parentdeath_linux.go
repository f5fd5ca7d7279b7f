package process

import "syscall"

// attributes makes the kernel kill the child when the thread that starts it ends, and so
// when this process ends in any way.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
