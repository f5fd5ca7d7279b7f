package lines

import "syscall"

// processAttributes gives a program its own process group, and makes the kernel kill the
// program when the thread that starts it ends, and so when this process ends in any way.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
