package controllers

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// queue adds a clock to turns, and records the StreamProcessors that it wakes.
type queue struct {
	*testing.T
	turns
	now   time.Time
	woken []string
}

func newQueue(t *testing.T, most int) *queue {
	q := &queue{T: t, now: time.Unix(1000, 0)}
	q.most = most
	q.wake = func(key types.NamespacedName) { q.woken = append(q.woken, key.Name) }
	return q
}

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

func (q *queue) takes(name string, want bool) {
	q.Helper()
	if got, _ := q.ask(named(name), q.now); got != want {
		q.Errorf("%s may roll: %v, want %v", name, got, want)
	}
}

func (q *queue) rolls(name string, p progress) { q.follow(named(name), p, false, q.now) }
func (q *queue) ends(name string)              { q.follow(named(name), progress{}, true, q.now) }

func (q *queue) wakes(want ...string) {
	q.Helper()
	if !slices.Equal(q.woken, want) {
		q.Errorf("woken are %q, want %q", q.woken, want)
	}
	q.woken = nil
}

func TestTurnsGoByTheTimeOfAsking(t *testing.T) {
	q := newQueue(t, 2)
	q.takes("a", true)
	q.takes("b", true)
	q.takes("c", false)
	q.takes("d", false)
	q.takes("d", false) // asking more often does not help
	q.takes("e", false)
	q.takes("a", true)
	q.rolls("a", progress{})
	q.ends("a")
	q.wakes("c")
	q.takes("d", false)
	q.takes("c", true)
	q.follow(named("d"), progress{}, true, q.now) // it needs no turn any more
	q.forget(named("b"), q.now)
	q.wakes("e")
	q.takes("e", true)
}

func TestWithoutABoundAllRoll(t *testing.T) {
	q := newQueue(t, 0)
	for i := range 100 {
		q.takes(fmt.Sprint(i), true)
	}
}

// TestStuckTurnsEnd: a rollout without progress loses its turn, even if its pods alternate
// between ready and crashed, and one with progress keeps it.
func TestStuckTurnsEnd(t *testing.T) {
	q := newQueue(t, 2)
	q.takes("flaps", true)
	q.takes("moves", true)
	q.takes("next", false)
	for i := range int32(2 * turnStuck / time.Minute) {
		q.rolls("flaps", progress{updated: 1, old: 2, ready: 2 + i%2})
		q.rolls("moves", progress{updated: i, old: 20})
		q.now = q.now.Add(time.Minute)
	}
	q.takes("next", true)
	if q.rolling[named("moves")] == nil || q.rolling[named("flaps")] != nil {
		t.Errorf("rolling are %v", q.rolling)
	}
}

// TestUnusedTurnsEnd: a StreamProcessor that can't be reconciled does not keep the others
// from rolling.
func TestUnusedTurnsEnd(t *testing.T) {
	q := newQueue(t, 1)
	q.takes("gone", true)
	q.takes("next", false)
	q.now = q.now.Add(turnUnused)
	q.takes("next", true)
	q.takes("gone", false)
}

// TestTheNextLeaderKnowsWhatRolls: a new leader counts the rollouts that its predecessor
// has begun.
func TestTheNextLeaderKnowsWhatRolls(t *testing.T) {
	q := newQueue(t, 2)
	q.seed([]types.NamespacedName{named("a"), named("b")}, q.now)
	q.takes("c", false)
	q.ends("a")
	q.wakes("c")
	if q.needsSeed() {
		t.Error("it asks again")
	}
}

// TestTurnsUnderLoad: never too many roll at a time, and each StreamProcessor gets a turn.
func TestTurnsUnderLoad(t *testing.T) {
	const most, all = 3, 60
	var mu sync.Mutex
	rolling, highest := 0, 0
	woken := map[types.NamespacedName]chan struct{}{}
	for i := range all {
		woken[named(fmt.Sprint(i))] = make(chan struct{}, 1)
	}
	q := turns{most: most, wake: func(key types.NamespacedName) {
		select {
		case woken[key] <- struct{}{}:
		default:
		}
	}}
	var done sync.WaitGroup
	for key, wake := range woken {
		done.Go(func() {
			for {
				if ok, _ := q.ask(key, time.Unix(0, 0)); ok {
					break
				}
				<-wake
			}
			mu.Lock()
			rolling++
			highest = max(highest, rolling)
			mu.Unlock()
			q.follow(key, progress{}, false, time.Unix(0, 0))
			mu.Lock()
			rolling--
			mu.Unlock()
			q.follow(key, progress{}, true, time.Unix(0, 0))
		})
	}
	done.Wait()
	if highest > most || len(q.rolling)+len(q.waiting) > 0 {
		t.Errorf("up to %d rolled; left are %v and %v", highest, q.rolling, q.waiting)
	}
}

func TestRolledOut(t *testing.T) {
	deployment := func(change func(*appsv1.Deployment)) *appsv1.Deployment {
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}}
		d.Generation = 2
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3}
		change(d)
		return d
	}
	reason := func(d *appsv1.Deployment, reason string) {
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable}, {Type: appsv1.DeploymentProgressing, Reason: reason}}
	}
	for name, c := range map[string]struct {
		d    *appsv1.Deployment
		want bool
	}{
		"all are new and ready": {deployment(func(*appsv1.Deployment) {}), true},
		"not looked at yet":     {deployment(func(d *appsv1.Deployment) { d.Generation = 3; reason(d, "NewReplicaSetAvailable") }), false},
		"some are old":          {deployment(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 2; reason(d, "ReplicaSetUpdated") }), false},
		"old ones are left":     {deployment(func(d *appsv1.Deployment) { d.Status.Replicas = 4 }), false},
		"one is not ready":      {deployment(func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 2; reason(d, "ReplicaSetUpdated") }), false},
		"given up":              {deployment(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1; reason(d, "ProgressDeadlineExceeded") }), true},
		"crashes since":         {deployment(func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 0; reason(d, "NewReplicaSetAvailable") }), true},
	} {
		if got := rolledOut(c.d); got != c.want {
			t.Errorf("%s: over is %v", name, got)
		}
	}
}
