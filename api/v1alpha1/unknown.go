package v1alpha1

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// unknownField matches the decoder's message about an unknown field.
var unknownField = regexp.MustCompile(`^unknown field "(.*)\.[^.]*"$`)

// withNeighbours adds the known fields of the same object to the error about an unknown
// field, because the user most likely meant one of them.
func withNeighbours(err error) error {
	match := unknownField.FindStringSubmatch(err.Error())
	if match == nil {
		return err
	}
	names := fieldNames(typeAt(reflect.TypeFor[StreamProcessor](), match[1]))
	if len(names) == 0 {
		return err
	}
	return fmt.Errorf("%w: the fields of %s are %s", err, match[1], strings.Join(names, ", "))
}

// typeAt returns the type of the field at a path such as a.b[0].c, or nil if there is no
// such field.
func typeAt(t reflect.Type, path string) reflect.Type {
	for name := range strings.SplitSeq(path, ".") {
		name, _, _ = strings.Cut(name, "[")
		if t = elementOf(fieldType(t, name)); t == nil {
			return nil
		}
	}
	return t
}

func fieldType(t reflect.Type, name string) reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for field := range t.Fields() {
		if jsonName(field) == name {
			return field.Type
		}
	}
	return nil
}

// elementOf returns the type behind pointers and lists.
func elementOf(t reflect.Type) reflect.Type {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t
}

// fieldNames returns the sorted field names of a type of this package.
func fieldNames(t reflect.Type) []string {
	if t == nil || t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[StreamProcessor]().PkgPath() {
		return nil
	}
	var names []string
	for field := range t.Fields() {
		if name := jsonName(field); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
