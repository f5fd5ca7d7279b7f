package cel

import (
	"strings"
	"testing"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/millrace-dev/millrace/worker"
)

// TestFunctionsOfOurOwnAgreeWithCEL compares results and errors with those of
// cel-go's implementation.
func TestFunctionsOfOurOwnAgreeWithCEL(t *testing.T) {
	env, err := celgo.NewEnv(celgo.Variable("s", celgo.StringType), celgo.Variable("d", celgo.DynType),
		celgo.OptionalTypes(), ext.Sets(), ext.Lists(), ext.Regex(), ext.Strings())
	if err != nil {
		t.Fatal(err)
	}
	c := &compiler{env: env}
	ours, err := newCompiler()
	if err != nil {
		t.Fatal(err)
	}
	c.functions = ours.functions
	vars := map[string]any{"s": "aé-b", "d": []any{1, 2.0, "x", []any{1}, map[string]any{"a": 1}}}
	for _, source := range []string{
		`regex.extract(s, "a(.)")`, `regex.extract(s, "z")`, `regex.extract(s, "a(z)?")`, `regex.extract(s, "(a)(.)")`,
		`regex.extract(s, "(")`, `regex.extract(s, "")`, `regex.extract(s, s.substring(0, 1))`,
		`regex.extractAll(s, ".")`, `regex.extractAll(s, "(a|z)?.")`, `regex.extractAll(s, "(a)(.)")`, `regex.extractAll(s, "z")`,
		`regex.extractAll(s, "")`, `regex.replace(s, "", "x")`, `regex.replace(s, "(.)-", "\\1\\0\\\\é")`,
		`regex.replace(s, "(z)?a", "<\\1>")`, `regex.replace(s, ".", "\\1")`, `regex.replace(s, ".", "\\")`,
		`regex.replace(s, ".", "\\é")`, `regex.replace(s, ".", "x", 2)`, `regex.replace(s, ".", "x", 0)`,
		`regex.replace(s, ".", "x", -7)`, `regex.replace(s, "z", "\\")`, `regex.replace(s, "(", "x")`, `regex.replace(d, "a", "x")`,
		`s.matches(s)`, `s.matches(s.substring(0, 1) + "(")`,
		`sets.contains(d, [2, "x"])`, `sets.contains(d, [3])`, `sets.contains([], d)`, `sets.contains(d, [])`, `sets.contains(d, d[2])`,
		`sets.intersects(d, [3, 2])`, `sets.intersects(d, [])`, `sets.intersects([], d)`, `sets.intersects(d, [{"a": 1}])`,
		`sets.equivalent(d, d + d)`, `sets.equivalent(d, [1])`, `d.hasAll([1])`, `d.hasOnly([1])`, `[1].hasOnly(d)`,
		`d.hasAny(["x"])`, `d.hasExactly(d)`, `(d + d + [1.0, {"a": 1.0}]).distinct() == d`, `[].distinct()`, `d[0].distinct()`,
		`d.all(x, d.all(y, (x == y) != (x != y)))`, `d.map(x, x == d[3])`, `d.map(x, x != d[4])`, `d.exists(x, x in d && !(7 in d))`,
		`d.map(x, x).reverse()`, `["b", "a"].sort()`, `[[1, [2]], 3].flatten()`, `["a", s].join(s)`,
		`s.replace("", "-", 3)`, `s.indexOf("b", 2)`, `s.lastIndexOf("-")`, `"%s %d".format([d, 3])`,
	} {
		tree, issues := env.Compile(source)
		if issues.Err() != nil {
			t.Errorf("%s: %v", source, issues.Err())
			continue
		}
		plain, err := env.Program(tree)
		if err != nil {
			t.Fatal(err)
		}
		own, err := env.Program(tree, celgo.CustomDecoratorV2(c.decorator(tree)))
		if err != nil {
			t.Fatal(err)
		}
		want, _, wantErr := plain.Eval(vars)
		got, _, gotErr := own.Eval(&testVars{variables{rec: &worker.Record{}, ctx: t.Context(), limit: defaultLimit}, vars})
		// A fault says more than cel-go's error about types and regular expressions.
		if (gotErr == nil) != (wantErr == nil) || gotErr != nil && !strings.Contains(wantErr.Error(), noOverload) && !strings.Contains(wantErr.Error(), "reg") && !strings.Contains(gotErr.Error(), wantErr.Error()) {
			t.Errorf("%s: error %v, want %v", source, gotErr, wantErr)
		} else if wantErr == nil && !same(got, want) {
			t.Errorf("%s: %v, want %v", source, got, want)
		}
	}
}

func same(a, b ref.Val) bool {
	if a, ok := a.(*types.Optional); ok {
		b, ok := b.(*types.Optional)
		return ok && a.HasValue() == b.HasValue() && (!a.HasValue() || same(a.GetValue(), b.GetValue()))
	}
	return types.Equal(a, b) == types.True
}

// testVars adds a test's variables to those of an evaluation.
type testVars struct {
	evaluation variables
	vars       map[string]any
}

func (v *testVars) ResolveName(name string) (any, bool) {
	if name == evaluationName {
		return &v.evaluation, true
	}
	value, ok := v.vars[name]
	return value, ok
}

func (v *testVars) Parent() celgo.Activation { return nil }
