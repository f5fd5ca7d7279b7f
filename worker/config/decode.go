package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// decode sets target from tree and returns what is wrong with it, each with
// the path of its field. encoding/json alone would not say where a value is
// that it can't read, and takes names in any case.
func decode(path string, tree json.RawMessage, target reflect.Value) []error {
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return nil // as if the field were absent
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		return decode(path, tree, target.Elem())
	}
	_, leaf := target.Addr().Interface().(json.Unmarshaler)
	if target.Kind() == reflect.Struct && !leaf {
		return decodeFields(path, tree, target)
	}
	return decodeLeaf(path, tree, target)
}

func decodeFields(path string, tree json.RawMessage, target reflect.Value) []error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(tree, &members); err != nil {
		return []error{located(path, "must hold fields, and is %s", shortened(tree))}
	}
	fields := make(map[string]reflect.Value, target.NumField())
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = target.Field(i)
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if field, ok := fields[name]; ok {
			wrong = append(wrong, decode(below(path, name), members[name], field)...)
			continue
		}
		known := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
		wrong = append(wrong, located(below(path, name), "unknown field; there are %s", known))
	}
	return wrong
}

func decodeLeaf(path string, tree json.RawMessage, target reflect.Value) []error {
	err := json.Unmarshal(tree, target.Addr().Interface())
	if err == nil {
		// Written back, an empty list or map is not there.
		if kind := target.Kind(); (kind == reflect.Slice || kind == reflect.Map) && target.Len() == 0 {
			target.SetZero()
		}
		return nil
	}
	if _, own := target.Addr().Interface().(json.Unmarshaler); own {
		return []error{located(path, "%w", err)}
	}
	return []error{located(path, "must be %s, and is %s", wanted(target.Type()), shortened(tree))}
}

// wanted describes the values of a type to a user.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text (in quotes if it looks like a number)"
	case reflect.Slice:
		return "a list of text"
	case reflect.Map:
		return "a map from text to text"
	default:
		return fmt.Sprintf("a whole number of at most %d bits", t.Bits())
	}
}

func shortened(tree json.RawMessage) string {
	const enough = 60
	if len(tree) > enough {
		return string(tree[:enough]) + "..."
	}
	return string(tree)
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// located is an error that begins with the path of its field.
func located(path, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
