//go:build !linux

package kafkatest

import "syscall"

// dieWithParent does nothing, because the kernel offers nothing like it: a broker
// outlives a test process that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
