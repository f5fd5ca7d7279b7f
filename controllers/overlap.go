package controllers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// LeaseName is that of the lease by which the operators of one namespace elect their
// leader. Another operator sees by it whether this one is alive.
const LeaseName = "millrace-operator.millrace.dev"

// ScopeLabel is the lease's label that says which namespaces an operator looks after.
const ScopeLabel = "millrace.dev/namespaces"

// The values of ScopeLabel where the names are not in it; no namespace has such a
// name.
const (
	scopeAll  = "ALL"
	scopeMany = "MANY"
)

// Scope is the value of ScopeLabel for an operator that looks after namespaces; after
// all of them if none is named.
func Scope(namespaces []string) string {
	const longest = 63 // of a label's value
	switch scope := strings.Join(namespaces, "."); {
	case scope == "":
		return scopeAll
	case len(scope) > longest:
		return scopeMany
	default:
		return scope
	}
}

// An operator whose lease has not been renewed for abandoned is gone. That is longer
// than an upgrade of its Deployment takes. An answer about a lease holds for
// leaseKnown.
const (
	abandoned  = 5 * time.Minute
	leaseKnown = 30 * time.Second
)

// overlap holds the StreamProcessors that another operator takes care of. Leader election
// keeps the operators of one namespace apart, but not those of two releases whose
// namespaces overlap.
type overlap struct {
	mu     sync.Mutex
	others map[types.NamespacedName]string // to the other operator's namespace; guarded by mu
	leases map[string]seenLease            // by the operators' namespaces; guarded by mu
}

type seenLease struct {
	lease *coordinationv1.Lease // nil if there is none
	known bool                  // whether the API server lets us see it
	at    time.Time
}

// CheckOverlap fails while another operator takes care of StreamProcessors that this
// one is told to look after. It is part of the operator's readiness.
func (r *Reconciler) CheckOverlap(*http.Request) error {
	c := &r.overlap
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.others) == 0 {
		return nil
	}
	first := slices.SortedFunc(maps.Keys(c.others), func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })[0]
	return fmt.Errorf("the operator in namespace %q takes care of %d StreamProcessors in the namespaces of this one, such as %s: "+
		"give the operators namespaces of their own (--namespaces), or uninstall one", c.others[first], len(c.others), first)
}

// note returns whether other is new to key; "" takes key away.
func (c *overlap) note(key types.NamespacedName, other string) (isNew bool) {
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
// another one that is alive does. It writes so before anything is touched;
// of two operators that try at the same time, the API server refuses one.
func (r *Reconciler) takeCharge(ctx context.Context, s *scope) (mine bool, err error) {
	owner := s.sp.Status.Operator
	if owner != "" && owner != r.Operator {
		alive, err := r.looksAfter(ctx, owner, s.key.Namespace)
		if err != nil {
			return false, err
		}
		if alive {
			r.leaveAlone(ctx, s, owner)
			return false, nil
		}
		ctrl.LoggerFrom(ctx).Info("takes over a StreamProcessor whose operator is gone", "operator", owner)
	}
	r.overlap.note(s.key, "")
	if r.Operator == "" || owner == r.Operator {
		return true, nil
	}
	s.sp.Status.Operator = r.Operator
	err = r.Client.Status().Update(ctx, s.sp, client.FieldOwner(resources.Manager))
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

// leaveAlone says so once, and looks again in case the other operator goes away.
func (r *Reconciler) leaveAlone(ctx context.Context, s *scope, owner string) {
	s.waitFor(time.Minute)
	if !r.overlap.note(s.key, owner) {
		return
	}
	r.forget(reconcile.Request{NamespacedName: s.key})
	message := fmt.Sprintf("the operator in namespace %q takes care of it, so the one in %q does nothing: give the operators namespaces of their own (--namespaces). "+
		"If that operator is gone, delete Lease %s/%s, or the field status.operator", owner, r.Operator, owner, LeaseName)
	ctrl.LoggerFrom(ctx).Info("left alone: "+message, "operator", owner)
	r.Events.Eventf(s.sp, nil, corev1.EventTypeWarning, "OtherOperator", "Reconcile", "%s", note(message))
}

// looksAfter reports whether the operator of a namespace is alive and looks after
// another namespace. One whose lease this operator may not see is taken to be.
func (r *Reconciler) looksAfter(ctx context.Context, operator, namespace string) (bool, error) {
	seen, err := r.lease(ctx, operator)
	if err != nil {
		return false, err
	}
	switch {
	case !seen.known:
		return true, nil
	case seen.lease == nil:
		return false, nil
	}
	if renewed := seen.lease.Spec.RenewTime; renewed == nil || r.Clock.Now().Sub(renewed.Time) > abandoned {
		return false, nil
	}
	scope := seen.lease.Labels[ScopeLabel]
	return scope == "" || scope == scopeAll || scope == scopeMany || slices.Contains(strings.Split(scope, "."), namespace), nil
}

func (r *Reconciler) lease(ctx context.Context, operator string) (seenLease, error) {
	now := r.Clock.Now()
	r.overlap.mu.Lock()
	seen, ok := r.overlap.leases[operator]
	r.overlap.mu.Unlock()
	if ok && now.Sub(seen.at) < leaseKnown {
		return seen, nil
	}
	lease := &coordinationv1.Lease{}
	seen = seenLease{known: true, at: now}
	err := r.Reader.Get(ctx, types.NamespacedName{Namespace: operator, Name: LeaseName}, lease)
	switch {
	case err == nil:
		seen.lease = lease
	case apierrors.IsForbidden(err):
		seen.known = false
	case !apierrors.IsNotFound(err):
		return seenLease{}, fmt.Errorf("read Lease %s/%s: %w", operator, LeaseName, err)
	}
	r.overlap.mu.Lock()
	defer r.overlap.mu.Unlock()
	if r.overlap.leases == nil {
		r.overlap.leases = map[string]seenLease{}
	}
	r.overlap.leases[operator] = seen
	return seen, nil
}
