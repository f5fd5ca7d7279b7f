package v1alpha1

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// endlessQuantity matches quantities like 1e-2147483647. The parser of Kubernetes
// would compute with a number of that many digits.
var endlessQuantity = regexp.MustCompile(`[eE][+-]?[0-9]{3,}"?$`)

// checkQuantities refuses quantities with exponents of three digits and more,
// anywhere in a tree that will be decoded into a value of type t.
func checkQuantities(path string, tree []byte, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[resource.Quantity]() {
		if endlessQuantity.Match(tree) {
			return fmt.Errorf("%s: the exponent of %s is out of bounds: write a smaller one or a unit such as Mi", path, tree)
		}
		return nil
	}
	var errs []error
	for _, part := range partsOf(path, tree, t) {
		errs = append(errs, checkQuantities(part.path, part.tree, part.t))
	}
	return errors.Join(errs...)
}
