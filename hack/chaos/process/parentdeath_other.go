//go:build !linux

package process

import "syscall"

// attributes leaves out what only Linux offers: elsewhere a child outlives a driver that
// is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
