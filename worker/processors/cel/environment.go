package cel

import (
	"fmt"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// costLimit bounds what one expression may cost for one record, in CEL's units
// (about one for each step and for each ten bytes of text). It stops an
// expression that explodes, not one that works hard.
const costLimit = 10_000_000

// variables are what expressions can refer to. Key and value are bytes or null,
// so they are of no fixed type; header values likewise.
var variables = []celgo.EnvOption{
	celgo.Variable("key", celgo.DynType),
	celgo.Variable("value", celgo.DynType),
	celgo.Variable("headers", celgo.MapType(celgo.StringType, celgo.ListType(celgo.DynType))),
	celgo.Variable("topic", celgo.StringType),
	celgo.Variable("partition", celgo.IntType),
	celgo.Variable("offset", celgo.IntType),
	celgo.Variable("timestamp", celgo.DynType), // null if the record has none
	celgo.Variable("json", celgo.DynType),
}

func newEnvironment() (*celgo.Env, error) {
	options := append([]celgo.EnvOption{
		celgo.OptionalTypes(), // which regex builds on
		ext.Strings(), ext.Encoders(), ext.Math(), ext.Sets(), ext.Lists(), ext.Regex(), ext.Bindings(),
	}, variables...)
	env, err := celgo.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("set up the expression language: %w", err)
	}
	return env, nil
}

// compile turns an expression into a program. field is where users wrote it.
// want, unless nil, is the type that the result must have, as far as that is
// known beforehand.
func compile(env *celgo.Env, field, expression string, want *celgo.Type) (celgo.Program, error) {
	ast, issues := env.Compile(expression)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if got := ast.OutputType(); want != nil && !got.IsExactType(want) && got.Kind() != types.DynKind {
		return nil, fmt.Errorf("%s: the result is a %s; it must be a %s", field, got, want)
	}
	program, err := env.Program(ast,
		celgo.EvalOptions(celgo.OptOptimize),
		celgo.CostLimit(costLimit),
		celgo.InterruptCheckFrequency(1000),
	)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return program, nil
}
