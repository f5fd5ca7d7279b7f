package validate

import (
	"fmt"
	"slices"
	"strings"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checker finds the mistakes in one StreamProcessor. It does what the API server and the
// operator do, one after the other, but goes on after a mistake. To see what else is wrong,
// it goes on with what the author most likely meant, and removes what it can't understand.
type checker struct {
	*document
	schema *schema
	// lost are the fields of which the author's value is not known. What compares other
	// fields with them is not reported.
	lost []path
}

func (c *checker) check() {
	if c.object == nil {
		return
	}
	delete(c.object, "status") // the API server ignores it
	c.checkMetadata()
	c.checkNames()
	defaulting.PruneNonNullableNullsWithoutDefaults(c.object, c.schema.structural)
	defaulting.Default(c.object, c.schema.structural)
	c.checkValues()
	defaulting.Default(c.object, c.schema.structural)
	c.checkRules()
	c.checkAsOperator()
}

// checkNames finds unknown fields, and renames or removes them.
func (c *checker) checkNames() {
	for c.correctNames() {
	}
	pruning.Prune(c.object, c.schema.structural, true)
}

// correctNames finds unknown fields. It returns true if it has renamed one, because there
// may be further ones below it.
func (c *checker) correctNames() (renamed bool) {
	copied := runtime.DeepCopyJSON(c.object)
	options := structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, unknown := range pruning.PruneWithOptions(copied, c.schema.structural, true, options) {
		p := c.find(unknown)
		if samePlace(c.findings)(p.path) {
			continue
		}
		if text := p.path[:len(p.path)-1]; c.isText(text) {
			c.addAt(c.find(text.String()), valueProblem(&field.Error{Type: field.ErrorTypeTypeInvalid}, c.schema.at(text), valueAt(c.object, text)))
			c.lose(text)
			continue
		}
		problem, meant := c.schema.unknownProblem(p.path)
		c.addUnknown(p, problem)
		if meant != "" && c.rename(p, meant) {
			renamed = true
		} else {
			c.lose(p.path[:len(p.path)-1])
		}
	}
	return renamed
}

// isText reports whether the field at a path has to be text.
func (c *checker) isText(p path) bool {
	at := c.schema.at(p)
	return at != nil && at.Type == "string"
}

// addUnknown adds a finding at the name of a field.
func (c *checker) addUnknown(p place, problem string) {
	if p.key == nil || !p.whole {
		c.addAt(p, problem)
		return
	}
	c.add(p.key.Line, p.key.Column, p.path.String(), problem)
}

// rename gives a field the name that its author meant. It returns false if a field of that
// name is there already.
func (c *checker) rename(p place, meant string) bool {
	last := len(p.path) - 1
	object, _ := valueAt(c.object, p.path[:last]).(map[string]any)
	if _, exists := object[meant]; exists || object == nil || p.key == nil {
		return false
	}
	object[meant] = object[p.path[last]]
	delete(object, p.path[last])
	p.key.Value = meant
	return true
}

func (c *checker) lose(p path) { c.lost = append(c.lost, slices.Clone(p)) }

// checkValues checks types, bounds, enumerations and required fields.
func (c *checker) checkValues() {
	for _, found := range c.schema.checkValues(c.object) {
		p := c.find(fieldOf(found))
		if samePlace(c.findings)(p.path) {
			continue
		}
		at, value := c.schema.at(p.path), valueAt(c.object, p.path)
		c.addAt(p, valueProblem(found, at, value))
		switch {
		case found.Type == field.ErrorTypeRequired:
			c.lose(p.path)
		case found.Type == field.ErrorTypeTypeInvalid, at != nil && at.XIntOrString:
			// The parser of quantities would not come to an end with some of them.
			c.lose(p.path)
			remove(c.object, p.path)
		case found.Type == field.ErrorTypeNotSupported:
			text, _ := value.(string)
			if meant := Nearest(text, allowed(at)); meant != "" {
				c.replace(p.path, meant)
			} else {
				c.lose(p.path)
			}
		}
	}
}

// fieldOf returns the path of a finding about a value. That about a number that is too large
// for its field has it at the end of the text.
func fieldOf(found *field.Error) string {
	if pathOf(found) != "" {
		return found.Field
	}
	_, path, _ := strings.Cut(found.Detail, " in ")
	return path
}

func (c *checker) replace(p path, value any) {
	if object, ok := valueAt(c.object, p[:len(p)-1]).(map[string]any); ok {
		object[p[len(p)-1]] = value
	}
}

// checkRules checks the CEL rules of the schema.
func (c *checker) checkRules() {
	reported := samePlace(slices.Clone(c.findings))
	earlier := len(c.findings) > 0
	for _, found := range c.schema.checkRules(c.object) {
		p := c.find(pathOf(found))
		object, known := c.schema.ruleOf(p.path, found.Detail)
		switch {
		case pathOf(found) == "":
			p, object = c.find("metadata.name"), path{"metadata", "name"} // the only rule of the whole object
		case !known && earlier:
			continue // the rule could not be evaluated, because of a mistake that is reported
		}
		if c.isLost(object) || reported(p.path) {
			continue
		}
		c.addAt(p, ruleProblem(found.Detail, valueAt(c.object, p.path)))
	}
}

// pathOf returns "" for a finding about the whole object.
func pathOf(found *field.Error) string {
	if found.Field == "<nil>" {
		return ""
	}
	return found.Field
}

// isLost reports whether an object has a part that is not known.
func (c *checker) isLost(object path) bool {
	return slices.ContainsFunc(c.lost, func(l path) bool { return l.within(object) })
}

// valueAt returns the value at a path, or nil.
func valueAt(value any, p path) any {
	for _, step := range p {
		switch parent := value.(type) {
		case map[string]any:
			value = parent[step]
		case []any:
			var i int
			if _, err := fmt.Sscanf(step, "[%d]", &i); err != nil || i >= len(parent) {
				return nil
			}
			value = parent[i]
		default:
			return nil
		}
	}
	return value
}

// remove removes the value at a path. It replaces an item of a list by nothing, so that the
// paths of the others stay.
func remove(object map[string]any, p path) {
	switch parent := valueAt(object, p[:len(p)-1]).(type) {
	case map[string]any:
		delete(parent, p[len(p)-1])
	case []any:
		var i int
		if _, err := fmt.Sscanf(p[len(p)-1], "[%d]", &i); err == nil && i < len(parent) {
			parent[i] = nil
		}
	}
}
