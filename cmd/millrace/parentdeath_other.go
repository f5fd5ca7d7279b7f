//go:build !linux

package main

import "syscall"

// processAttributes gives a program its own process group. The kernel offers no way to
// end the program together with this process: it outlives one that is killed.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
