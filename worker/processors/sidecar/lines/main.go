package lines

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// Main runs a command as the environment of a processor says: see the protocol's
// specification. It returns the exit code.
func Main(command []string) int {
	processes, err := strconv.Atoi(os.Getenv("MILLRACE_PROCESSES"))
	if err != nil || processes < 1 {
		fmt.Fprintf(os.Stderr, "error: MILLRACE_PROCESSES is %q: it has to be a number of processes\n", os.Getenv("MILLRACE_PROCESSES"))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err = Run(ctx, Options{Socket: os.Getenv("MILLRACE_SOCKET"), Processes: processes, Command: command, Output: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}
