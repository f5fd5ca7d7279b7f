//go:build !linux

package lines

import "syscall"

// processAttributes gives a program its own process group.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
