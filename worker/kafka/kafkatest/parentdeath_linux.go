package kafkatest

import "syscall"

// dieWithParent makes the kernel end the process when the thread that starts it
// ends, and so when the test process does, however that happens.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
