package controllers

import (
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// turns bound how many StreamProcessors roll at the same time because of a change
// that comes from the operator itself. Without a bound an upgrade of the operator
// would replace all pods of a cluster at once. The longest waiting one is next.
type turns struct {
	// most is the bound; 0 is none.
	most int
	// wake has a StreamProcessor reconciled; nil where nothing runs in between.
	wake func(types.NamespacedName)

	mu      sync.Mutex
	seeded  bool                           // guarded by mu
	rolling map[types.NamespacedName]*roll // guarded by mu
	waiting []types.NamespacedName         // the longest first; guarded by mu
}

// roll is one that has its turn.
type roll struct {
	// begun: the Deployment has the new template.
	begun bool
	// furthest is how far it has come, and at is since when.
	furthest progress
	at       time.Time
}

// progress is how far a rollout is: how many pods are new, old and ready.
type progress struct{ updated, old, ready int32 }

// further reports whether the rollout has come further. A pod that gets ready and
// crashes in turn does not move it.
func (p progress) further(furthest progress) bool {
	if p.updated != furthest.updated || p.old != furthest.old {
		return p.updated > furthest.updated || p.old < furthest.old
	}
	return p.ready > furthest.ready
}

// A turn ends when the rollout has not moved for turnStuck, as a pod that does not
// start must not keep the others from theirs for ever. One that is not used within
// turnUnused goes to the next.
const (
	turnStuck  = 10 * time.Minute
	turnUnused = time.Minute
)

// take reports whether key may roll now. Otherwise it is woken when it may, and
// looks again after the time that is returned, 0 for not.
func (t *turns) take(key types.NamespacedName, now time.Time) (ok bool, again time.Duration) {
	if t.most <= 0 {
		return true, 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rolling[key] == nil && !slices.Contains(t.waiting, key) {
		t.waiting = append(t.waiting, key)
	}
	t.next(key, now)
	if t.rolling[key] != nil {
		return true, turnUnused
	}
	// Should those that roll fail to be reconciled, the next ones see that their turns end.
	if slices.Index(t.waiting, key) < t.most {
		return false, turnUnused
	}
	return false, 0
}

// look is told how a StreamProcessor stands that needs no turn: its rollout is under
// way, or over. It returns when to look again, 0 for not.
func (t *turns) look(key types.NamespacedName, p progress, over bool, now time.Time) (again time.Duration) {
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
		t.next(key, now)
	}
	if t.rolling[key] != nil {
		return turnStuck
	}
	return 0
}

// forget ends the turn of one that is gone.
func (t *turns) forget(key types.NamespacedName, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaveQueue(key)
	delete(t.rolling, key)
	t.next(key, now)
}

func (t *turns) leaveQueue(key types.NamespacedName) {
	t.waiting = slices.DeleteFunc(t.waiting, func(k types.NamespacedName) bool { return k == key })
}

// next ends the turns that are stuck and gives the free ones away. It wakes all but
// self, which is being reconciled. mu is held.
func (t *turns) next(self types.NamespacedName, now time.Time) {
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

// needsSeed reports whether an operator that has just started has yet to learn what
// its predecessor has begun.
func (t *turns) needsSeed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.most > 0 && !t.seeded
}

// seed takes the rollouts that are under way for turns.
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

// progressOf is how far the rollout of a Deployment is.
func progressOf(d *appsv1.Deployment) progress {
	s := d.Status
	return progress{s.UpdatedReplicas, s.Replicas - s.UpdatedReplicas, s.ReadyReplicas}
}

// rolledOut reports whether the rollout of a Deployment is over: all pods have the
// present template and have once been ready, or its controller has given up.
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
