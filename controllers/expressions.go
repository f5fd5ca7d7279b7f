package controllers

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// checkedExpressions are expressions with what is wrong with them: to compile
// them takes longer than all else in a reconciliation.
type checkedExpressions struct {
	expressions *config.CEL // nil before the first
	err         error
}

// observeExpressions compiles the expressions as a worker will: its author should
// not have to look for the fault in the log of a pod that does not start.
func (r *Reconciler) observeExpressions(s *scope) {
	expressions := resources.Expressions(s.sp.Spec.Processor)
	if expressions == nil || r.CheckExpressions == nil {
		return
	}
	checked := &s.memory.expressions
	if !reflect.DeepEqual(checked.expressions, expressions) {
		*checked = checkedExpressions{expressions, inManifest(r.CheckExpressions(*expressions))}
	}
	s.observed.BadExpressions = checked.err
}

// inManifest gives joined errors, each of which begins with the path of a field
// in a worker's configuration, the paths that these have in the manifest.
func inManifest(err error) error {
	found := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		found = joined.Unwrap()
	}
	var errs []error
	for _, err := range found {
		if err != nil {
			errs = append(errs, fmt.Errorf("spec.%w", err))
		}
	}
	return errors.Join(errs...)
}
