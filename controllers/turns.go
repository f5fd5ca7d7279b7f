package controllers

import (
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// turns bounds the number of StreamProcessors that roll at the same time because of a
// change of the operator itself. Without a bound an upgrade of the operator would replace
// all pods of a cluster at once. The StreamProcessor that has waited longest is next.
type turns struct {
	// most is the bound; 0 for no bound.
	most int
	// wake has a StreamProcessor reconciled; nil in tests that reconcile by themselves.
	wake func(types.NamespacedName)

	mu      sync.Mutex
	seeded  bool                           // guarded by mu
	rolling map[types.NamespacedName]*roll // guarded by mu
	waiting []types.NamespacedName         // the one that waits longest first; guarded by mu
}

// roll is the turn of one StreamProcessor.
type roll struct {
	// begun: the Deployment has the new template.
	begun bool
	// furthest is the furthest progress, reached at the time at.
	furthest progress
	at       time.Time
}

// progress counts the new, old and ready pods of a rollout.
type progress struct{ updated, old, ready int32 }

// further reports whether the rollout has come further than furthest. A pod that
// alternates between ready and crashed makes no progress.
func (p progress) further(furthest progress) bool {
	if p.updated != furthest.updated || p.old != furthest.old {
		return p.updated > furthest.updated || p.old < furthest.old
	}
	return p.ready > furthest.ready
}

// A turn ends when its rollout has made no progress for turnStuck: a pod that does not
// start must not stop the other rollouts for ever. A turn that is not used within
// turnUnused goes to the next StreamProcessor.
const (
	turnStuck  = 10 * time.Minute
	turnUnused = time.Minute
)

// ask reports whether key may roll now. If not, key is woken when it may. It has to be
// looked at again after the returned time; 0 for no other look.
func (t *turns) ask(key types.NamespacedName, now time.Time) (ok bool, again time.Duration) {
	if t.most <= 0 {
		return true, 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rolling[key] == nil && !slices.Contains(t.waiting, key) {
		t.waiting = append(t.waiting, key)
	}
	t.advance(key, now)
	if t.rolling[key] != nil {
		return true, turnUnused
	}
	// If those that roll are not reconciled, the next ones notice that their turns end.
	if slices.Index(t.waiting, key) < t.most {
		return false, turnUnused
	}
	return false, 0
}

// follow takes the progress of a StreamProcessor that needs no turn: its rollout is under
// way, or over. It returns the time to the next look; 0 for no other look.
func (t *turns) follow(key types.NamespacedName, p progress, over bool, now time.Time) (again time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaveQueue(key)
	if r := t.rolling[key]; r != nil {
		if !r.begun || p.further(r.furthest) {
			r.begun, r.furthest, r.at = true, p, now
		}
		if over {
			delete(t.rolling, key)
		}
		t.advance(key, now)
	}
	if t.rolling[key] != nil {
		return turnStuck
	}
	return 0
}

// forget ends the turn of a StreamProcessor that is gone.
func (t *turns) forget(key types.NamespacedName, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaveQueue(key)
	delete(t.rolling, key)
	t.advance(key, now)
}

func (t *turns) leaveQueue(key types.NamespacedName) {
	t.waiting = slices.DeleteFunc(t.waiting, func(k types.NamespacedName) bool { return k == key })
}

// advance ends the turns of rollouts without progress, and gives the free turns away. It
// wakes all but self, which is being reconciled. The caller holds mu.
func (t *turns) advance(self types.NamespacedName, now time.Time) {
	for key, r := range t.rolling {
		bound := turnStuck
		if !r.begun {
			bound = turnUnused
		}
		if now.Sub(r.at) >= bound {
			delete(t.rolling, key)
		}
	}
	for len(t.waiting) > 0 && len(t.rolling) < t.most {
		key := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.give(key, &roll{at: now})
		if key != self && t.wake != nil {
			t.wake(key)
		}
	}
}

func (t *turns) give(key types.NamespacedName, r *roll) {
	if t.rolling == nil {
		t.rolling = map[types.NamespacedName]*roll{}
	}
	t.rolling[key] = r
}

// needsSeed reports whether an operator that has just started has yet to learn which
// rollouts are under way.
func (t *turns) needsSeed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.most > 0 && !t.seeded
}

// seed gives turns to the rollouts that are under way.
func (t *turns) seed(under []types.NamespacedName, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seeded {
		return
	}
	t.seeded = true
	for _, key := range under {
		t.give(key, &roll{begun: true, at: now})
	}
}

// progressOf returns the progress of a Deployment's rollout.
func progressOf(d *appsv1.Deployment) progress {
	s := d.Status
	return progress{s.UpdatedReplicas, s.Replicas - s.UpdatedReplicas, s.ReadyReplicas}
}

// rolledOut reports whether a Deployment's rollout is over: all pods have the present
// template and have once been ready, or the Deployment's controller has given up.
func rolledOut(d *appsv1.Deployment) bool {
	s, want := d.Status, int32(0)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	if s.ObservedGeneration < d.Generation {
		return false
	}
	for _, c := range s.Conditions {
		if c.Type != appsv1.DeploymentProgressing {
			continue
		}
		// The reasons are the Deployment controller's.
		if c.Reason == "ProgressDeadlineExceeded" || c.Reason == "NewReplicaSetAvailable" && s.Replicas == s.UpdatedReplicas {
			return true
		}
	}
	return s.UpdatedReplicas >= want && s.Replicas <= s.UpdatedReplicas && s.ReadyReplicas >= want
}
