package cel

import (
	"maps"
	"slices"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// library declares the functions of this package. Their implementations are in
// implementations: a call gets the meter, so that it charges before it does its work.
type library struct{}

var _ celgo.Library = library{}

// CompileOptions implements cel-go's Library.
func (library) CompileOptions() []celgo.EnvOption {
	return slices.Concat(mixedArithmetic(), comparisons(), recordFunctions(), encoders(), objectFunctions(), aggregates(),
		timeFunctions(), identifiers(), digests(), urlFunctions(), patternFunctions(), numberFunctions())
}

// ProgramOptions implements cel-go's Library.
func (library) ProgramOptions() []celgo.ProgramOption { return nil }

// planner returns the runner for a call with these arguments. It prepares what follows
// from constant ones.
type planner func(args []interpreter.InterpretableV2) runner

// always returns the same runner for every call.
func always(r runner) planner { return func([]interpreter.InterpretableV2) runner { return r } }

// implementations holds the functions of this package, by name.
var implementations = map[string]planner{
	headerName: always(lastHeader),
	// text
	"base64.encode":    always(encodeBase64),
	"base64.encodeUrl": always(encodeBase64URL),
	"base64.decodeUrl": always(decodeBase64URL),
	"json.encode":      always(encodeJSON),
	"json.parse":       always(parseJSONText),
	"keyValues":        always(keyValues),
	"regex.captures":   planCaptures,
	"grok":             planGrok,
	"url.parse":        always(parseURL),
	"url.build":        always(buildURL),
	"url.encode":       always(encodeURL),
	"url.decode":       always(decodeURL),
	// objects and lists
	"merge":   always(merge),
	"with":    always(with),
	"without": always(without),
	"only":    always(only),
	"sum":     always(sum),
	"min":     always(least),
	"max":     always(greatest),
	// numbers
	"number.format": always(formatNumber),
	// time
	"now":           always(now),
	"time.parse":    planTimeParse,
	"time.format":   planTimeFormat,
	"time.truncate": always(truncateTime),
	"time.ofMillis": always(timeOfMillis),
	"time.toMillis": always(timeToMillis),
	// identifiers and digests
	"uuid":        always(newUUID),
	"sha256":      always(sha256Of),
	"hmac.sha256": planHMAC,
}

// Functions returns the names of all functions and macros of expressions, except
// operators and what macros stand for.
func Functions() ([]string, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range c.env.Functions() {
		names[name] = true
	}
	for _, macro := range c.env.Macros() {
		names[macro.Function()] = true
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool { return !written(name) || name == overloads.DeprecatedIn })
	return slices.Sorted(maps.Keys(names)), nil
}

// written reports whether a function's name can be written in an expression.
func written(name string) bool {
	for _, r := range name {
		if r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return name[0] != '_'
}

// declare declares a function of this package, which the decorator puts in the place of
// the binding.
func declare(name string, forms ...celgo.FunctionOpt) celgo.EnvOption {
	return celgo.Function(name, append(forms, celgo.SingletonFunctionBinding(unplanned))...)
}

// unplanned stands for a function of this package, of which cel-go needs some binding.
func unplanned(...ref.Val) ref.Val { return mismatched() }

func global(id string, result *celgo.Type, args ...*celgo.Type) celgo.FunctionOpt {
	return celgo.Overload(id, args, result)
}

func member(id string, result *celgo.Type, args ...*celgo.Type) celgo.FunctionOpt {
	return celgo.MemberOverload(id, args, result)
}
