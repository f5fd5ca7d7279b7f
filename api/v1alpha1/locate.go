package v1alpha1

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sjson "sigs.k8s.io/json"
)

// locate adds to err the path of the field of tree that can't be decoded into a value of
// target's type. The decoder names no path for types with their own decoding, such as
// durations and quantities.
func locate(tree []byte, target any, err error) error {
	path, err := deepest("", tree, reflect.TypeOf(target).Elem(), err)
	if path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// deepest descends into the first part of tree that can't be decoded, as long as there is
// one, and returns its path and error. err is the error of the whole tree.
func deepest(path string, tree []byte, t reflect.Type, err error) (string, error) {
	if t.Kind() == reflect.Pointer {
		return deepest(path, tree, t.Elem(), err)
	}
	for _, part := range partsOf(path, tree, t) {
		if err := k8sjson.UnmarshalCaseSensitivePreserveInts(part.tree, reflect.New(part.t).Interface()); err != nil {
			return deepest(part.path, part.tree, part.t, err)
		}
	}
	return path, plainly(tree, t, err)
}

// plainly replaces the decoder's message about Go types by one about the manifest.
func plainly(tree []byte, t reflect.Type, err error) error {
	if t == reflect.TypeFor[metav1.Duration]() {
		return fmt.Errorf("%s is not a duration: write one like \"30s\" or \"1h30m\"", tree)
	}
	if !strings.HasPrefix(err.Error(), "json: cannot unmarshal ") {
		return err
	}
	const shown = 60
	text := string(tree)
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	if decodesItself(t) {
		return fmt.Errorf("%s is not of the right type: %w", text, err)
	}
	return fmt.Errorf("%s is not of the right type: write %s", text, kindOf(t))
}

// decodesItself reports whether type t has its own decoding.
func decodesItself(t reflect.Type) bool {
	_, own := reflect.New(t).Interface().(json.Unmarshaler)
	return own
}

// kindOf describes the YAML of a value of type t.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object with fields"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text (in quotes, if it looks like something else)"
	default:
		return fmt.Sprintf("a whole number of at most %d bits", t.Bits())
	}
}

// part is a piece of a tree, with its path and its type.
type part struct {
	path string
	tree []byte
	t    reflect.Type
}

// partsOf returns the fields, members or items of a tree.
func partsOf(path string, tree []byte, t reflect.Type) []part {
	switch {
	case decodesItself(t):
		return nil
	case t.Kind() == reflect.Struct:
		return fieldsOf(path, membersOf(tree), t)
	case t.Kind() == reflect.Map:
		var parts []part
		members := membersOf(tree)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			parts = append(parts, part{below(path, name), members[name], t.Elem()})
		}
		return parts
	case t.Kind() == reflect.Slice:
		return itemsOf(path, tree, t)
	default:
		return nil
	}
}

func fieldsOf(path string, members map[string]json.RawMessage, t reflect.Type) []part {
	var parts []part
	for field := range t.Fields() {
		name := jsonName(field)
		if member, ok := members[name]; ok && name != "" {
			parts = append(parts, part{below(path, name), member, field.Type})
		} else if field.Anonymous && name == "" {
			parts = append(parts, fieldsOf(path, members, field.Type)...)
		}
	}
	return parts
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

func itemsOf(path string, tree []byte, t reflect.Type) []part {
	var items []json.RawMessage
	if json.Unmarshal(tree, &items) != nil {
		return nil
	}
	parts := make([]part, len(items))
	for i, item := range items {
		parts[i] = part{path + "[" + strconv.Itoa(i) + "]", item, t.Elem()}
	}
	return parts
}

// membersOf returns the members of an object, and nil if the tree is not an object.
func membersOf(tree []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(tree, &members)
	return members
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
