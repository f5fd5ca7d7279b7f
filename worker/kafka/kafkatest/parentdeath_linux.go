package kafkatest

import "syscall"

// dieWithParent makes the kernel kill the process when the thread that starts it ends,
// and so when the test process ends in any way.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
