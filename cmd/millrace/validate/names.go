package validate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// typed are the objects whose fields the CRD's schema does not have, with their types.
var typed = map[string]reflect.Type{
	"metadata":           reflect.TypeFor[metav1.ObjectMeta](),
	"spec.template.spec": reflect.TypeFor[corev1.PodSpec](),
}

// fieldsAt returns the names of the fields that an object may have.
func (s *schema) fieldsAt(object path) []string {
	for length := len(object); length > 0; length-- {
		if t, ok := typed[object[:length].String()]; ok {
			return fieldsOf(t, object[length:])
		}
	}
	if at := s.at(object); at != nil {
		return namesOf(at)
	}
	return nil
}

// fieldsOf returns the sorted names of the fields of the type at a path below t.
func fieldsOf(t reflect.Type, below path) (names []string) {
	for _, step := range below {
		if t = elementOf(t); t.Kind() != reflect.Struct {
			return nil
		}
		if isItem(step) {
			continue
		}
		field, ok := fieldCalled(t, step)
		if !ok {
			return nil
		}
		t = field.Type
	}
	if t = elementOf(t); t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		if name := jsonName(field); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func fieldCalled(t reflect.Type, name string) (reflect.StructField, bool) {
	for _, field := range reflect.VisibleFields(t) {
		if jsonName(field) == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// elementOf returns the type behind pointers and lists.
func elementOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// unknownProblem says what to write in place of an unknown field. meant is the field that
// it stands for, if there is one.
func (s *schema) unknownProblem(unknown path) (problem, meant string) {
	object, name := unknown[:len(unknown)-1], unknown[len(unknown)-1]
	names := s.fieldsAt(object)
	if meant = Nearest(name, names); meant != "" {
		return "there is no such field; did you mean " + meant + "?", meant
	}
	if elsewhere := places(s.structural, nil, name); len(elsewhere) > 0 && len(elsewhere) <= 3 {
		return "there is no such field here; did you mean " + list(elsewhere, "or") + "?", ""
	}
	const most = 30
	if len(names) == 0 || len(names) > most {
		return "there is no such field; remove it, or correct its name", ""
	}
	return fmt.Sprintf("there is no such field; the fields of %s are %s", objectName(object), list(names, "and")), ""
}

func objectName(p path) string {
	if len(p) == 0 {
		return "a StreamProcessor"
	}
	return p.String()
}

// places returns the paths of the fields of the spec with a name.
func places(at *structural.Structural, below path, name string) (found []string) {
	for _, property := range namesOf(at) {
		child, p := at.Properties[property], append(slices.Clone(below), property)
		if len(below) == 0 && property != "spec" {
			continue
		}
		if property == name {
			found = append(found, p.String())
		}
		found = append(found, places(&child, p, name)...)
	}
	return found
}

// Nearest returns the one of several words that a misspelt one most likely stands for, or
// "" if none is similar.
func Nearest(word string, words []string) string {
	best, least := "", min(max(1, len(word)/3), 5)+1
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance returns how many characters have to be inserted, removed or replaced to turn a
// into b. Two swapped neighbours count as one change.
func distance(a, b string) int {
	const most = 100
	if len(a) > most || len(b) > most {
		return most
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
