//go:build !linux

package kafkatest

import "syscall"

// dieWithParent does nothing where the kernel offers nothing: a broker outlives
// a test process that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
