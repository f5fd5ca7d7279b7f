package drive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
)

// memoryBound is how much memory a worker may take. Its input may take 16 MiB.
const memoryBound = 256 << 20

// memory watches how much memory the processes take.
type memory struct {
	pods    *pods
	checker *check.Checker

	mu   sync.Mutex
	most int64
	told map[string]bool // processes that were reported
}

// run looks each second until ctx ends.
func (m *memory) run(ctx context.Context) {
	for wait(ctx, time.Second) == nil {
		for _, one := range m.pods.list() {
			if running, name := one.current(); running != nil {
				m.note(name, residentBytes(running.PID()))
			}
		}
	}
}

func (m *memory) note(name string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = max(m.most, n)
	if n > memoryBound && !m.told[name] {
		m.told[name] = true
		m.checker.Violate(check.Memory, time.Now(), "process %s takes %d MiB", name, n>>20)
	}
}

// highest returns the most that a process took.
func (m *memory) highest() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}

// residentBytes returns the most resident memory that a process has had, or 0 if the
// system does not say.
func residentBytes(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" kB"))
	kb, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
