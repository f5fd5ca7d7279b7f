package cel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/ext"
)

// field is the path of the expressions in the configuration.
const field = "processor.cel."

// kind says which results an expression may have.
type kind string

const (
	anything kind = "anything"
	boolean  kind = "a bool"
	text     kind = "a string"
	list     kind = "a list"
)

func (k kind) allows(t *celgo.Type) bool {
	switch k {
	case boolean:
		return t.IsExactType(celgo.BoolType) || t.IsExactType(celgo.DynType)
	case text:
		return t.IsExactType(celgo.StringType) || t.IsExactType(celgo.DynType)
	case list:
		return t.Kind() == celgo.ListKind || t.IsExactType(celgo.DynType)
	default:
		return true
	}
}

// refusal returns the error of an expression with a result of another type.
func (k kind) refusal(name string, tree *celgo.Ast, is, typeName string) error {
	message := fmt.Sprintf("%s: the result must be %s, but is %s", name, k, is)
	path := "..."
	if root := tree.NativeRep().Expr(); isPath(root) {
		path = shown(root)
	}
	if hint := k.instead(path, typeName); hint != "" {
		message += ": " + hint
	}
	return errors.New(message)
}

// instead says what to write for a result of another type, or returns "".
func (k kind) instead(path, typeName string) string {
	switch {
	case k == boolean:
		return compareInstead(path, typeName)
	case k == list && typeName == "null":
		return fmt.Sprintf("write %s == null ? [] : %[1]s", path)
	case k == list:
		return fmt.Sprintf("write [%s] for one record", path)
	case k == text && typeName == "null":
		return fmt.Sprintf(`write %s == null ? "OTHER" : %[1]s`, path)
	case k == text:
		return fmt.Sprintf("write string(%s)", path)
	default:
		return ""
	}
}

// compiler compiles expressions and collects their errors.
type compiler struct {
	env       *celgo.Env
	functions map[string]*functions.Overload // cel-go's, by the overload's or the function's name
	limit     uint64                         // bounds an evaluation's cost
	errs      []error
	keys      []error // about the keys that the environment lacks
}

func newCompiler() (*compiler, error) {
	env, err := celgo.NewEnv(
		celgo.CustomTypeAdapter(adapter{}),
		celgo.Variable("value", textType),
		celgo.Variable("key", textType),
		celgo.Variable("headers", celgo.MapType(celgo.StringType, celgo.ListType(textType))),
		celgo.Variable("topic", celgo.StringType),
		celgo.Variable("partition", celgo.IntType),
		celgo.Variable("offset", celgo.IntType),
		celgo.Variable("timestamp", celgo.TimestampType), // or null, which the checker allows
		celgo.Variable("json", celgo.DynType),
		celgo.OptionalTypes(),
		ext.Strings(), ext.Encoders(ext.EncodersVersion(1)), ext.Math(), ext.Sets(), ext.Lists(), ext.Regex(),
		ext.Bindings(), ext.TwoVarComprehensions(),
		celgo.Lib(library{}),
		celgo.DefaultUTCTimeZone(true), celgo.CrossTypeNumericComparisons(true),
		celgo.EnableMacroCallTracking(), // the explainer names the loops
		celgo.ASTValidators(celgo.ValidateDurationLiterals(), celgo.ValidateTimestampLiterals()),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the expression language: %w", err)
	}
	c := &compiler{env: env, limit: defaultLimit, functions: map[string]*functions.Overload{}}
	for name, declared := range env.Functions() {
		bindings, err := declared.Bindings()
		if err != nil {
			return nil, fmt.Errorf("set up the expression language: function %s: %w", name, err)
		}
		for _, b := range bindings {
			c.functions[b.Operator] = b
		}
	}
	return c, nil
}

// withElement adds the variables that key, topic and headers have beside values.
func (c *compiler) withElement() {
	env, err := c.env.Extend(celgo.Variable("element", celgo.DynType), celgo.Variable("index", celgo.IntType))
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("set up the expression language: %w", err))
		return
	}
	c.env = env
}

// compile returns nil if source is empty.
func (c *compiler) compile(name, source string, want kind) *expression {
	if source == "" {
		return nil
	}
	e, err := c.program(field+name, source, want)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	return e
}

func (c *compiler) compileHeader(name, source string) *expression {
	if source == "" {
		c.errs = append(c.errs, fmt.Errorf("%sheaders.%s: the expression is empty: write one, or remove the header", field, name))
		return nil
	}
	return c.compile("headers."+name, source, anything)
}

func (c *compiler) program(name, source string, want kind) (*expression, error) {
	tree, err := c.tree(common.NewStringSource(source, name))
	if err != nil {
		return nil, err
	}
	if !want.allows(tree.OutputType()) {
		is := typeName(tree.OutputType())
		base, _, _ := strings.Cut(is, "(") // of map(string, int), for example
		return nil, want.refusal(name, tree, is, base)
	}
	looping := loops(tree)
	options := []celgo.ProgramOption{celgo.EvalOptions(celgo.OptOptimize), celgo.CustomDecoratorV2(c.decorator(tree))}
	if looping {
		options = append(options, celgo.CostLimit(c.limit), celgo.InterruptCheckFrequency(interruptCheckFrequency),
			celgo.CostTrackerOptions(cost.OverloadTracker(chargeOverload, trackCharge)))
	}
	program, err := c.env.Program(tree, options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := missingKeys(tree); err != nil {
		c.keys = append(c.keys, fmt.Errorf("%s: %w", name, err))
	}
	return &expression{name: name, tree: tree, program: program, loops: looping, borrows: borrows(tree), limit: c.limit}, nil
}

// tree returns the checked form of an expression.
func (c *compiler) tree(source common.Source) (*celgo.Ast, error) {
	tree, mistakes := c.check(source)
	if len(mistakes) > 0 {
		return nil, display(source, mistakes)
	}
	return tree, display(source, slices.Concat(never(tree), wrongConstants(tree), repeatedKeys(tree)))
}

// display returns mistakes with their places in the source as one error, or nil.
func display(source common.Source, mistakes []*common.Error) error {
	var lines []string
	for _, m := range mistakes {
		lines = append(lines, strings.TrimPrefix(m.ToDisplayString(source), "ERROR: "))
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// interruptCheckFrequency is the number of loop iterations after which an evaluation
// checks whether the attempt has ended.
const interruptCheckFrequency = 100

// loops reports whether an expression has a loop, which CEL calls a comprehension.
// Without one, an evaluation does each of its steps at most once. Then the meter counts
// only steps whose cost may grow faster than the record, because counting costs more
// than most steps.
func loops(tree *celgo.Ast) bool {
	found := false
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}

// borrows reports whether an expression uses text that shares the record's memory.
func borrows(tree *celgo.Ast) bool {
	found := false
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			found = found || slices.Contains([]string{"key", "value", "headers", "element"}, e.AsIdent())
		case ast.CallKind:
			found = found || e.AsCall().FunctionName() == headerName
		}
	}))
	return found
}
