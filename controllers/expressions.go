package controllers

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// expressionChecks remembers what was found about the expressions that were
// checked last: to compile them takes longer than all else in a reconciliation.
type expressionChecks struct {
	mu sync.Mutex
	of map[types.NamespacedName]expressionCheck // a StreamProcessor's; guarded by mu
}

type expressionCheck struct {
	expressions config.CEL
	err         error
}

func (c *expressionChecks) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, key)
}

// find returns the result of check, which is called only for expressions other
// than the last ones.
func (c *expressionChecks) find(key types.NamespacedName, expressions config.CEL, check func(config.CEL) error) error {
	c.mu.Lock()
	last, ok := c.of[key]
	c.mu.Unlock()
	if ok && reflect.DeepEqual(last.expressions, expressions) {
		return last.err
	}
	err := check(expressions)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[types.NamespacedName]expressionCheck)
	}
	c.of[key] = expressionCheck{expressions, err}
	return err
}

// observeExpressions compiles the expressions as a worker will: its author should
// not have to look for the fault in the log of a pod that does not start.
func (r *Reconciler) observeExpressions(s *scope) {
	expressions := resources.Expressions(s.sp.Spec.Processor)
	if expressions == nil || r.CheckExpressions == nil {
		return
	}
	err := r.checks.find(s.key, *expressions, r.CheckExpressions)
	found := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		found = joined.Unwrap()
	}
	for _, err := range found {
		if err != nil {
			s.observed.BadExpressions = errors.Join(s.observed.BadExpressions, fmt.Errorf("spec.%w", err))
		}
	}
}
