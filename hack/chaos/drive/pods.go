package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
)

// pods is what a Deployment is: a number of pods of one configuration.
type pods struct {
	prefix  string
	dir     string
	config  subject.Config
	journal *journal
	checker *check.Checker

	mu    sync.Mutex // guards all below
	all   []*pod     // those that are not leaving
	gone  []*pod     // those that are leaving, or have left
	named int
	busy  map[*pod]bool // pods that a fault has picked
	lives []check.Life
}

func newPods(prefix, dir string, cfg subject.Config, j *journal, c *check.Checker) *pods {
	return &pods{prefix: prefix, dir: dir, config: cfg, journal: j, checker: c, busy: map[*pod]bool{}}
}

// add starts another pod.
func (p *pods) add() (*pod, error) {
	added, err := p.addBusy()
	if err == nil {
		p.giveBack(added)
	}
	return added, err
}

// addBusy starts another pod, which no fault picks until the caller gives it back.
func (p *pods) addBusy() (*pod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.named++
	added, err := startPod(fmt.Sprintf("%s%d", p.prefix, p.named), p.dir, p.config, p.lived)
	if err == nil {
		p.all = append(p.all, added)
		p.busy[added] = true
	}
	return added, err
}

// remove makes a pod leave. It does not wait.
func (p *pods) remove(leaving *pod) {
	p.forget(leaving)
	leaving.leave(true)
}

// lose ends a pod and its process at once, as the loss of a node does. It returns the
// process's name.
func (p *pods) lose(lost *pod, cause string) string {
	p.forget(lost)
	lost.leave(false)
	return lost.kill(cause)
}

func (p *pods) forget(leaving *pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = slices.DeleteFunc(p.all, func(other *pod) bool { return other == leaving })
	p.gone = append(p.gone, leaving)
}

func (p *pods) lived(l check.Life) {
	p.mu.Lock()
	p.lives = append(p.lives, l)
	p.mu.Unlock()
	p.journal.log("process %s ended after %s: %s", l.Process, l.End.Sub(l.Start).Round(time.Millisecond), l.Cause)
}

// errNoPod says that no pod is in the state that a fault needs.
var errNoPod = errors.New("no pod is free for it")

// borrow picks a pod whose process runs, for one fault at a time. The caller gives it back.
func (p *pods) borrow(pick *rand.Rand) (*pod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var free []*pod
	for _, one := range p.all {
		if running, _ := one.current(); running != nil && running.Running() && !p.busy[one] {
			free = append(free, one)
		}
	}
	if len(free) == 0 {
		return nil, errNoPod
	}
	chosen := free[pick.IntN(len(free))]
	p.busy[chosen] = true
	return chosen, nil
}

func (p *pods) giveBack(borrowed *pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, borrowed)
}

func (p *pods) list() []*pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// overdue is the cause of death of a process that does not stop.
const overdue = "kill -9 after its time to stop"

// awaitGone waits until all pods that are leaving have left. Those that do not by then are
// killed.
func (p *pods) awaitGone(ctx context.Context) {
	p.mu.Lock()
	gone := slices.Clone(p.gone)
	p.mu.Unlock()
	for _, leaving := range gone {
		select {
		case <-leaving.done:
		case <-ctx.Done():
			name := leaving.kill(overdue)
			p.checker.Violate(check.Stuck, time.Now(), "process %s did not stop in time", name)
			<-leaving.done
		}
	}
}

// stop makes all pods leave and waits until they have.
func (p *pods) stop(ctx context.Context) {
	for _, running := range p.list() {
		p.remove(running)
	}
	p.awaitGone(ctx)
}

// history returns the lives of all processes.
func (p *pods) history() []check.Life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lives)
}
