package cel

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// otherNames are what other languages call something that expressions have.
var otherNames = map[string]string{
	"len": "size(...)", "length": "size(...)", "count": "size(...)",
	"upper": "upperAscii()", "toUpper": "upperAscii()", "toUpperCase": "upperAscii()",
	"lower": "lowerAscii()", "toLower": "lowerAscii()", "toLowerCase": "lowerAscii()",
	"includes": "contains()", "substr": "substring()", "slice": "substring(), or a loop over a list", "strip": "trim()",
	"toString": "string(...)", "str": "string(...)", "float": "double(...)", "number": "double(...)", "parseInt": "int(...)",
	"any": "exists()", "some": "exists()", "every": "all()", "each": "map()", "forEach": "map()",
	"strptime": "time.parse()", "parseDate": "time.parse()", "date": "time.parse()", "strftime": "time.format()", "formatDate": "time.format()",
	"round": "math.round(...)", "floor": "math.floor(...)", "ceil": "math.ceil(...)", "abs": "math.abs(...)", "toFixed": "number.format(...)",
	"avg": "LIST.sum() / double(size(LIST))", "average": "LIST.sum() / double(size(LIST))", "mean": "LIST.sum() / double(size(LIST))", "fold": "reduce()",
	"coalesce": "json.?field.orValue(OTHER)", "default": "json.?field.orValue(OTHER)", "getOrDefault": "json.?field.orValue(OTHER)",
	"set": "with(PATH, VALUE)", "assign": "with(PATH, VALUE), or merge()", "put": "with(PATH, VALUE)",
	"remove": "without(PATH)", "delete": "without(PATH)", "del": "without(PATH)", "drop": "without(PATH)", "omit": "without([PATH, ...])", "pick": "only([PATH, ...])",
	"parse_json": "json.parse(...)", "parseJson": "json.parse(...)", "parseJSON": "json.parse(...)", "fromJson": "json.parse(...)", "to_json": "json.encode(...)", "toJson": "json.encode(...)", "stringify": "json.encode(...)",
	"md5": "sha256(...)", "sha1": "sha256(...)", "parse_timestamp": "time.parse()", "format_timestamp": "time.format()", "today": "now()",
	"None": "null", "nil": "null", "undefined": "null", "True": "true", "False": "false",
}

// undeclared says what to write in place of a name that expressions don't have.
func (c *compiler) undeclared(parsed *celgo.Ast, at ast.Expr, name string) string {
	message := fmt.Sprintf("undeclared reference to '%s'", name)
	if field := hyphenated(parsed, at, name); field != "" {
		return message + ": write " + field
	}
	if other := otherNames[name]; other != "" {
		return message + ": write " + other
	}
	names := c.names()
	if _, isFunction := slices.BinarySearch(names, name); isFunction {
		return message + fmt.Sprintf(": it is a function: write %s(...)", name)
	}
	if meant := nearestName(name, names); meant != "" {
		return message + ": did you mean " + meant + "?"
	}
	if at.Kind() == ast.IdentKind {
		return message + fmt.Sprintf(": write json.%s for a field of the value; the variables are json, value, key, headers, topic, partition, offset and timestamp", name)
	}
	return message
}

// names returns the names that an expression can use, without those of operators.
func (c *compiler) names() []string {
	names := map[string]bool{}
	for name := range c.env.Functions() {
		names[name] = written(name)
	}
	for _, macro := range c.env.Macros() {
		names[macro.Function()] = true
	}
	for _, variable := range c.env.Variables() {
		names[variable.Name()] = written(variable.Name())
	}
	maps.DeleteFunc(names, func(_ string, can bool) bool { return !can })
	return slices.Sorted(maps.Keys(names))
}

// hyphenated returns how to write a field with a hyphen, if a name follows one: json.user-id
// is the difference of json.user and id.
func hyphenated(parsed *celgo.Ast, at ast.Expr, name string) (field string) {
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Subtract {
			return
		}
		args := e.AsCall().Args()
		if args[1].ID() == at.ID() && args[0].Kind() == ast.SelectKind {
			left := args[0].AsSelect()
			field = fmt.Sprintf("%s[%q]", shown(left.Operand()), left.FieldName()+"-"+name)
		}
	}))
	return field
}

// nearestName returns the name that another one is a misspelling of, or "".
func nearestName(name string, names []string) string {
	best, fewest := "", 3 // one more than the letters that may differ
	for _, candidate := range names {
		if strings.EqualFold(name, candidate) {
			return candidate
		}
		if d := differences(name, candidate); d < fewest && 2*d < len(name) {
			best, fewest = candidate, d
		}
	}
	return best
}

// differences counts the letters to insert, to delete, to replace or to swap with the next
// one to turn a into b.
func differences(a, b string) int {
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			changed := 1
			if a[i] == b[j] {
				changed = 0
			}
			next[j+1] = min(row[j]+changed, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
