package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// decoder decodes a file and collects its mistakes and unknown fields, each with the
// path of its field.
type decoder struct {
	wrong   []error
	unknown []string
}

// all returns the mistakes together with the unknown fields, for a file with mistakes:
// an unknown field may be a misspelt one.
func (d *decoder) all() error {
	errs := slices.Clone(d.wrong)
	for _, field := range d.unknown {
		errs = append(errs, errors.New(field))
	}
	return errors.Join(errs...)
}

// decode sets target from tree. encoding/json alone would not name the place of a
// value that it can't read, and would accept field names in any case.
func (d *decoder) decode(path string, tree json.RawMessage, target reflect.Value) {
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return // null counts as an absent field
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		d.decode(path, tree, target.Elem())
		return
	}
	_, leaf := target.Addr().Interface().(json.Unmarshaler)
	if target.Kind() == reflect.Struct && !leaf {
		d.decodeFields(path, tree, target)
		return
	}
	d.wrong = append(d.wrong, decodeLeaf(path, tree, target)...)
}

func (d *decoder) decodeFields(path string, tree json.RawMessage, target reflect.Value) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(tree, &members); err != nil {
		d.wrong = append(d.wrong, located(path, "must contain fields, but is %s", shortened(tree)))
		return
	}
	fields := make(map[string]reflect.Value, target.NumField())
	for i := range target.NumField() {
		name, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = target.Field(i)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if field, ok := fields[name]; ok {
			d.decode(below(path, name), members[name], field)
			continue
		}
		known := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
		d.unknown = append(d.unknown, fmt.Sprintf("%s: unknown field; known fields: %s", below(path, name), known))
	}
}

func decodeLeaf(path string, tree json.RawMessage, target reflect.Value) []error {
	err := json.Unmarshal(tree, target.Addr().Interface())
	if err == nil {
		// An empty list or map counts as absent, because a file that is written back
		// lacks it.
		if kind := target.Kind(); (kind == reflect.Slice || kind == reflect.Map) && target.Len() == 0 {
			target.SetZero()
		}
		return nil
	}
	if _, own := target.Addr().Interface().(json.Unmarshaler); own {
		return []error{located(path, "%w", err)}
	}
	return []error{located(path, "must be %s, but is %s", describeType(target.Type()), shortened(tree))}
}

// describeType describes the values of a type to a user.
func describeType(t reflect.Type) string {
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

// located returns an error that begins with the path of its field.
func located(path, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
