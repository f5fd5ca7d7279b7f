package drive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/faults"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/worker/config"
)

// The names of the faults that also happen alone.
const (
	killName   = "kill -9"
	termName   = "SIGTERM"
	addName    = "a worker more"
	removeName = "a worker less"
)

// minPods and maxPods bound the number of pods.
const (
	minPods = 1
	maxPods = 4
)

// podFaults are the faults that strike processes.
func (p *pods) faults() []fault {
	process := func(name string, weight int, from, to, recovery time.Duration) schedule.Kind {
		return schedule.Kind{Name: name, Class: string(faults.Process), Lanes: 2, Weight: weight, Hold: [2]time.Duration{from, to}, Recovery: recovery}
	}
	const session = subject.SessionTimeout
	return []fault{
		{Kind: process(killName, 10, 0, 0, time.Second), begin: p.killOne},
		{Kind: process("kill -9 and a new pod", 3, 0, 0, 2*time.Second), begin: p.loseOne},
		{Kind: process(termName, 8, 0, 0, 3*time.Second), graceful: true, begin: p.replaceOne},
		{Kind: process("SIGTERM, then kill -9", 3, 0, 0, 2*time.Second), begin: p.interruptOne},
		{Kind: process("SIGSTOP beyond the session", 3, session+time.Second, session+4*time.Second, time.Second), begin: p.pauseOne},
		{Kind: process("short SIGSTOP", 5, 300*time.Millisecond, 3*time.Second, time.Second), begin: p.pauseOne},
		{Kind: schedule.Kind{Name: addName, Class: "workers", Weight: 3, Recovery: 3 * time.Second}, graceful: true, begin: p.addOne},
		{Kind: schedule.Kind{Name: removeName, Class: "workers", Weight: 3, Recovery: 3 * time.Second}, graceful: true, begin: p.removeOne},
	}
}

func (p *pods) killOne(_ context.Context, pick *rand.Rand) (applied, error) {
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	defer p.giveBack(one)
	name := one.kill(killName)
	return applied{detail: name, process: name}, nil
}

// loseOne kills a process and its pod, as the loss of a node does.
func (p *pods) loseOne(_ context.Context, pick *rand.Rand) (applied, error) {
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	name := p.lose(one, "kill -9 and a new pod")
	added, err := p.add()
	if err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%s, %s takes its place", name, added.name), process: name}, nil
}

// podStart is how long a cluster takes at least until a new pod works: it is given a node,
// and its image, network and container are set up.
const podStart = 2 * time.Second

// replaceOne replaces a pod as a rollout does: the new one comes first, and the old one goes
// when it is ready, or the old one goes first. The only pod never goes first: nobody could
// take over from it.
func (p *pods) replaceOne(ctx context.Context, pick *rand.Rand) (applied, error) {
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	_, name := one.current()
	if pick.IntN(2) == 0 || len(p.list()) == minPods {
		added, err := p.addBusy()
		if err != nil {
			return applied{}, err
		}
		_ = wait(ctx, podStart)
		p.remove(one)
		p.giveBack(added)
		return applied{detail: fmt.Sprintf("%s, after %s has started", name, added.name), process: name, end: p.awaitLeft(one)}, nil
	}
	p.remove(one)
	if err := p.awaitLeft(one)(ctx); err != nil {
		return applied{}, err
	}
	_ = wait(ctx, podStart)
	added, err := p.add()
	if err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%s, %s takes its place", name, added.name), process: name}, nil
}

// awaitLeft waits until a pod has left. A worker that takes longer than its stop may is
// killed by whoever stops all pods.
func (p *pods) awaitLeft(leaving *pod) func(context.Context) error {
	return func(ctx context.Context) error {
		stop := time.NewTimer(config.KillTimeout(subject.DrainTimeout) + 5*time.Second)
		defer stop.Stop()
		select {
		case <-leaving.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-stop.C:
			name := leaving.kill(overdue)
			return fmt.Errorf("process %s takes longer to stop than it may", name)
		}
	}
}

// interruptOne kills a process while it drains.
func (p *pods) interruptOne(ctx context.Context, pick *rand.Rand) (applied, error) {
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	p.remove(one)
	after := time.Duration(pick.IntN(300)) * time.Millisecond
	_ = wait(ctx, after)
	_, name := one.current()
	one.kill("SIGTERM, then kill -9")
	added, err := p.add()
	if err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%s, %s later; %s takes its place", name, after, added.name), process: name}, nil
}

func (p *pods) pauseOne(_ context.Context, pick *rand.Rand) (applied, error) {
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	running, name := one.current()
	if running == nil {
		p.giveBack(one)
		return applied{}, errNoPod
	}
	running.Pause()
	return applied{detail: name, process: name, end: func(context.Context) error {
		running.Continue()
		p.giveBack(one)
		return nil
	}}, nil
}

func (p *pods) addOne(context.Context, *rand.Rand) (applied, error) {
	if len(p.list()) >= maxPods {
		return applied{}, fmt.Errorf("there are %d pods already", maxPods)
	}
	added, err := p.add()
	if err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%s, %d now", added.name, len(p.list()))}, nil
}

func (p *pods) removeOne(_ context.Context, pick *rand.Rand) (applied, error) {
	if len(p.list()) <= minPods {
		return applied{}, fmt.Errorf("there are no more than %d pods", minPods)
	}
	one, err := p.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	_, name := one.current()
	p.remove(one)
	return applied{detail: fmt.Sprintf("%s, %d now", name, len(p.list())), process: name, end: p.awaitLeft(one)}, nil
}
