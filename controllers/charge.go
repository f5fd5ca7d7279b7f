package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// LeaseName is the name of the lease by which the operators of one namespace elect their
// leader. It shows other operators that this one is alive.
const LeaseName = "millrace-operator.millrace.dev"

// ScopeLabel is the lease's label that names the namespaces an operator looks after.
const ScopeLabel = "millrace.dev/namespaces"

// Values of ScopeLabel that stand for the names. No namespace has such a name.
const (
	scopeAll  = "ALL"
	scopeMany = "MANY"
)

// Scope returns the value of ScopeLabel for an operator that looks after the named
// namespaces, or after all if none is named.
func Scope(namespaces []string) string {
	const longest = 63 // bytes of a label's value
	switch scope := strings.Join(namespaces, "."); {
	case scope == "":
		return scopeAll
	case len(scope) > longest:
		return scopeMany
	default:
		return scope
	}
}

// An operator that has not renewed its lease for abandoned is gone. That is longer than
// an upgrade of its Deployment takes. An answer about a lease holds for leaseKnown.
const (
	abandoned  = 5 * time.Minute
	leaseKnown = 30 * time.Second
)

// charge decides whether this operator takes care of a StreamProcessor. Leader election
// keeps the operators of one namespace apart, but not those of two releases whose
// namespaces overlap.
type charge struct {
	client   client.Client
	reader   client.Reader
	events   events.EventRecorder
	clock    clock.PassiveClock
	operator string // this operator's namespace; "" without leader election
	// forget drops the state of a StreamProcessor that another operator takes care of.
	forget func(types.NamespacedName)

	mu     sync.Mutex
	others map[types.NamespacedName]string // the other operator's namespace by StreamProcessor; guarded by mu
	leases map[string]seenLease            // by the operators' namespaces; guarded by mu
}

type seenLease struct {
	lease *coordinationv1.Lease // nil if there is none
	known bool                  // whether this operator may read it
	at    time.Time
}

// check implements Reconciler.CheckOverlap.
func (c *charge) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.others) == 0 {
		return nil
	}
	first := slices.SortedFunc(maps.Keys(c.others), func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })[0]
	return fmt.Errorf("the operator in namespace %q takes care of %d StreamProcessors in the namespaces of this one, such as %s: "+
		"give each operator its own namespaces (--namespaces), or uninstall one", c.others[first], len(c.others), first)
}

// note records that the operator in namespace other takes care of key, and reports
// whether that is news; "" removes the record.
func (c *charge) note(key types.NamespacedName, other string) (isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other == "" {
		delete(c.others, key)
		return false
	}
	if c.others == nil {
		c.others = map[types.NamespacedName]string{}
	}
	isNew = c.others[key] != other
	c.others[key] = other
	return isNew
}

// takeCharge has this operator take care of the StreamProcessor, and reports false if
// another operator that is alive does. It writes status.operator before the operator
// touches anything; of two operators that write at the same time, the API server
// refuses one.
func (c *charge) takeCharge(ctx context.Context, s *scope) (mine bool, err error) {
	owner := s.sp.Status.Operator
	if owner != "" && owner != c.operator {
		alive, err := c.looksAfter(ctx, owner, s.key.Namespace)
		if err != nil {
			return false, err
		}
		if alive {
			c.leaveAlone(ctx, s, owner)
			return false, nil
		}
		ctrl.LoggerFrom(ctx).Info("take over a StreamProcessor whose operator is gone", "operator", owner)
	}
	c.note(s.key, "")
	if c.operator == "" || owner == c.operator {
		return true, nil
	}
	s.sp.Status.Operator = c.operator
	err = c.client.Status().Update(ctx, s.sp, client.FieldOwner(resources.Manager))
	if apierrors.IsConflict(err) {
		s.waitFor(time.Second) // the cache is behind
		return false, nil
	}
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take charge of the StreamProcessor: %w", err)
	}
	s.sp.Default()
	return true, nil
}

// leaveAlone logs and records an event once, and has the StreamProcessor looked at again
// in case the other operator goes away.
func (c *charge) leaveAlone(ctx context.Context, s *scope, owner string) {
	s.waitFor(time.Minute)
	if !c.note(s.key, owner) {
		return
	}
	c.forget(s.key)
	message := fmt.Sprintf("the operator in namespace %q takes care of it, so the one in %q does nothing: give each operator its own namespaces (--namespaces). "+
		"If that operator is gone, delete Lease %s/%s, or the field status.operator", owner, c.operator, owner, LeaseName)
	ctrl.LoggerFrom(ctx).Info("left alone: "+message, "operator", owner)
	c.events.Eventf(s.sp, nil, corev1.EventTypeWarning, "OtherOperator", "Reconcile", "%s", note(message))
}

// looksAfter reports whether the operator in namespace operator is alive and looks after
// another namespace. If this operator may not read the lease, it assumes so.
func (c *charge) looksAfter(ctx context.Context, operator, namespace string) (bool, error) {
	seen, err := c.lease(ctx, operator)
	if err != nil {
		return false, err
	}
	switch {
	case !seen.known:
		return true, nil
	case seen.lease == nil:
		return false, nil
	}
	if renewed := seen.lease.Spec.RenewTime; renewed == nil || c.clock.Now().Sub(renewed.Time) > abandoned {
		return false, nil
	}
	scope := seen.lease.Labels[ScopeLabel]
	return scope == "" || scope == scopeAll || scope == scopeMany || slices.Contains(strings.Split(scope, "."), namespace), nil
}

func (c *charge) lease(ctx context.Context, operator string) (seenLease, error) {
	now := c.clock.Now()
	c.mu.Lock()
	seen, ok := c.leases[operator]
	c.mu.Unlock()
	if ok && now.Sub(seen.at) < leaseKnown {
		return seen, nil
	}
	lease := &coordinationv1.Lease{}
	seen = seenLease{known: true, at: now}
	err := c.reader.Get(ctx, types.NamespacedName{Namespace: operator, Name: LeaseName}, lease)
	switch {
	case err == nil:
		seen.lease = lease
	case apierrors.IsForbidden(err):
		seen.known = false
	case !apierrors.IsNotFound(err):
		return seenLease{}, fmt.Errorf("read Lease %s/%s: %w", operator, LeaseName, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leases == nil {
		c.leases = map[string]seenLease{}
	}
	c.leases[operator] = seen
	return seen, nil
}
