package cel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// attribute is a variable with the fields and indices that are selected from it. Its
// errors name the missing part and its place.
type attribute struct {
	interpreter.InterpretableAttribute
	explain explainer
	wanted  *demand // nil for none
}

// AddQualifier implements cel-go's InterpretableAttribute.
func (a *attribute) AddQualifier(q interpreter.Qualifier) (interpreter.Attribute, error) {
	return a.InterpretableAttribute.AddQualifier(&step{q, a.explain})
}

// Exec implements cel-go's InterpretableV2.
func (a *attribute) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := a.InterpretableAttribute.Exec(frame)
	if a.wanted != nil {
		return a.wanted.check(a.ID(), value)
	}
	return types.LabelErrNode(a.ID(), value)
}

// Eval implements cel-go's Interpretable.
func (a *attribute) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, a.Exec)
}

// step is a field or an index that is selected from a value.
type step struct {
	interpreter.Qualifier
	explain explainer
}

// Qualify implements cel-go's Qualifier.
func (s *step) Qualify(vars interpreter.Activation, from any) (any, error) {
	value, err := s.Qualifier.Qualify(vars, from)
	if err != nil {
		return nil, s.explain.step(s.Qualifier, vars, from, err)
	}
	return value, nil
}

// QualifyIfPresent implements cel-go's Qualifier.
func (s *step) QualifyIfPresent(vars interpreter.Activation, from any, presenceOnly bool) (any, bool, error) {
	value, present, err := s.Qualifier.QualifyIfPresent(vars, from, presenceOnly)
	if err != nil {
		return nil, false, s.explain.step(s.Qualifier, vars, from, err)
	}
	return value, present, nil
}

// step returns the fault for a step that could not be made from a value.
func (x explainer) step(q interpreter.Qualifier, vars interpreter.Activation, from any, err error) error {
	if isFault(err) {
		return err
	}
	var key ref.Val
	written := false
	switch q := q.(type) {
	case interpreter.ConstantQualifier:
		key, written = q.Value(), true
	case interpreter.Attribute:
		resolved, keyErr := q.Resolve(vars)
		if keyErr != nil {
			return keyErr
		}
		key = adapter{}.NativeToValue(resolved)
	default:
		return err
	}
	value := adapter{}.NativeToValue(from)
	if e, ok := value.(*types.Err); ok {
		return &fault{q.ID(), e.Error()}
	}
	return &fault{q.ID(), x.missing(q.ID(), vars, value, key, written)}
}

// missing says that a value has no part of this name, and what to write for records
// without it. written reports whether the name is one in the expression.
func (x explainer) missing(id int64, vars interpreter.Activation, value, key ref.Val, written bool) string {
	from := x.operandOf(id)
	switch v := value.(type) {
	case types.Null:
		return nothingIn(from, vars, key)
	case traits.Mapper:
		meant := ""
		if text, ok := key.(types.String); ok && written {
			meant = similarMember(v, string(text))
		}
		return missingMember(from, key, meant)
	case traits.Lister:
		return missingElement(from, v, key)
	default:
		return fmt.Sprintf("%s is %s, which has no %s", from, withArticle(value), part(key))
	}
}

// operandOf returns the path of the value that an expression selects from.
func (x explainer) operandOf(id int64) string {
	e := expressionAt(x.tree, id)
	switch {
	case e == nil:
		return "the value"
	case e.Kind() == ast.SelectKind:
		return shown(e.AsSelect().Operand())
	case e.Kind() == ast.CallKind && len(e.AsCall().Args()) > 0:
		return shown(e.AsCall().Args()[0])
	default:
		return "the value"
	}
}

func part(key ref.Val) string {
	if text, ok := key.(types.String); ok {
		return "field " + quotedStart(string(text))
	}
	return fmt.Sprintf("element %v", key.Value())
}

// isFieldName reports whether a name can be written after a dot.
func isFieldName(name string) bool {
	return fieldName.MatchString(name) && !slices.Contains([]string{"true", "false", "null", "in"}, name)
}

var fieldName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// optionally returns the expression that selects a part if there is one.
func optionally(from string, key ref.Val) string {
	text, ok := key.(types.String)
	if isAbridged(from) {
		from = ""
	}
	switch {
	case ok && isFieldName(string(text)):
		return from + ".?" + string(text)
	case ok:
		return fmt.Sprintf("%s[?%s]", from, quotedStart(string(text)))
	default:
		return fmt.Sprintf("%s[?%v]", from, key.Value())
	}
}

// isAbridged reports whether a path has a call without its arguments, so that it can't be
// copied into an expression.
func isAbridged(path string) bool { return strings.Contains(path, "()") }

func nothingIn(from string, vars interpreter.Activation, key ref.Val) string {
	reason := ""
	if from == "json" {
		reason = ", because the record's value is the JSON null"
		if v, _ := vars.ResolveName(evaluationName); isTombstone(v) {
			reason = ", because the record has no value: it is a tombstone"
		}
	}
	return fmt.Sprintf("%s is null%s, and null has no %s: test %[1]s != null first, or write %[4]s, which has no value then",
		from, reason, part(key), optionally(from, key))
}

func isTombstone(evaluation any) bool {
	vars, ok := evaluation.(*variables)
	return ok && vars.rec.Value == nil
}

// similarMember returns the member of an object that a name in an expression is most likely a
// misspelling of, or "". Names that come from records are not compared: the names of other
// members may be other records' data.
func similarMember(object traits.Mapper, name string) string {
	const most, longest = 256, 64 // the error is about one record of many
	if len(name) > longest {
		return ""
	}
	var names []string
	for it := object.Iterator(); it.HasNext() == types.True && len(names) < most; {
		if member, ok := it.Next().(types.String); ok && len(member) <= longest {
			names = append(names, string(member))
		}
	}
	slices.Sort(names)
	return nearestName(name, names)
}

// missingMember says that an object has no member with a key. meant is the member that the
// key may be a misspelling of, or "".
func missingMember(from string, key ref.Val, meant string) string {
	text, ok := key.(types.String)
	switch {
	case !ok:
		return fmt.Sprintf("%s has no member with the key %v: write %s.orValue(...) to name a value for this case", from, key.Value(), optionally(from, key))
	case from == "headers":
		return fmt.Sprintf("the record has no header %s: write header(%[1]s), which is null then, or %s.orValue([])", quotedStart(string(text)), optionally(from, key))
	}
	if meant != "" {
		return fmt.Sprintf("%s has no field %s: did you mean %s? If it may be missing, write %s.orValue(...)",
			from, quotedStart(string(text)), strings.Trim(quotedStart(meant), `"`), optionally(from, key))
	}
	if isAbridged(from) {
		return fmt.Sprintf("%s has no field %s: write %s.orValue(...) to name a value for this case", from, quotedStart(string(text)), optionally(from, key))
	}
	test := fmt.Sprintf("%s in %s", quotedStart(string(text)), from)
	if isFieldName(string(text)) {
		test = fmt.Sprintf("has(%s.%s)", from, string(text))
	}
	return fmt.Sprintf("%s has no field %s: test %s first, or write %s.orValue(...) to name a value for this case",
		from, quotedStart(string(text)), test, optionally(from, key))
}

func missingElement(from string, list traits.Lister, key ref.Val) string {
	if text, ok := key.(types.String); ok {
		return fmt.Sprintf("%s is a list, which has no fields: write %s[0].%s for its first element, or a loop such as %[2]s.map(x, x.%[3]s)",
			from, from, strings.Trim(quotedStart(string(text)), `"`))
	}
	instead := fmt.Sprintf("write %s.orValue(...) to name a value for this case", optionally(from, key))
	if index, ok := toDouble(key); ok && index < 0 {
		instead = fmt.Sprintf("write %s[size(%[1]s) - 1] for the last one", from)
	}
	return fmt.Sprintf("%s has no element at %v, since %s: %s", from, key.Value(), extentOf(list), instead)
}

func extentOf(list traits.Lister) string {
	if list.Size() == types.IntZero {
		return "it is empty"
	}
	return fmt.Sprintf("it has %v and the first is at 0", list.Size().Value())
}
