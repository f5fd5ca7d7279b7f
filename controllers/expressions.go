package controllers

import (
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// expressions checks the built-in processor's expressions. It keeps the last result,
// since compiling takes longer than the rest of a reconciliation.
type expressions struct {
	check func(config.CEL) error // nil for no check

	kept kept[checkedExpressions]
}

type checkedExpressions struct {
	expressions *config.CEL // nil before the first check
	err         error
}

func (e *expressions) forget(key types.NamespacedName) { e.kept.forget(key) }

// observe compiles the expressions as a worker does, so that their author need not look
// for the mistake in the log of a pod that does not start.
func (e *expressions) observe(s *scope) {
	expressions := resources.Expressions(s.sp.Spec.Processor)
	if expressions == nil || e.check == nil {
		return
	}
	checked := e.kept.get(s.key)
	if !reflect.DeepEqual(checked.expressions, expressions) {
		*checked = checkedExpressions{expressions, inManifest(e.check(*expressions))}
	}
	s.observed.BadExpressions = checked.err
}

// inManifest takes joined errors that begin with the path of a field in a worker's
// configuration, and returns them with the path that the field has in the manifest.
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
