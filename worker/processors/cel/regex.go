package cel

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// This package implements the functions with regular expressions itself, for two
// reasons. It compiles a constant pattern once and not for each record. And finding all
// matches, whose time can grow with the square of the text, ends with the attempt.

// regexRunner returns a runner for a function with a regular expression, or nil for
// other functions.
func regexRunner(call interpreter.InterpretableCall, original functions.FunctionOp) runner {
	args := call.Args()
	if len(args) < 2 {
		return nil
	}
	compile := compilePattern
	if text, ok := constantText(args[1]); ok {
		re, err := compileRegexp(text)
		compile = func(meter, ref.Val) (*regexp.Regexp, error) { return re, err }
	}
	switch call.Function() {
	case overloads.Matches:
		return withPattern(compile, original, func(_ meter, re *regexp.Regexp, text string, _ []ref.Val) (ref.Val, error) {
			return types.Bool(re.MatchString(text)), nil
		})
	case "regex.extract":
		return withPattern(compile, original, extract)
	case "regex.extractAll":
		return withPattern(compile, original, extractAll)
	case "regex.replace":
		return withPattern(compile, original, replaceMatches)
	default:
		return nil
	}
}

// constantText returns the text that a part of an expression is, if it is a constant one.
func constantText(node interpreter.InterpretableV2) (string, bool) {
	constant, ok := node.(interpreter.InterpretableConst)
	if !ok {
		return "", false
	}
	text, ok := constant.Value().(types.String)
	return string(text), ok
}

// compilePattern compiles a pattern from the record and charges for it. The compiled
// program may be a hundred times as long as the pattern, and each byte of the text may
// go through all of it.
func compilePattern(m meter, pattern ref.Val) (*regexp.Regexp, error) {
	text := string(pattern.(types.String))
	m.charge(10 * uint64(len(text)))
	return compileRegexp(text)
}

// compileRegexp compiles a regular expression. The error says where it is wrong.
func compileRegexp(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text)
	wrong, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return re, err
	}
	message := fmt.Sprintf("the pattern %s is no regular expression: %s at %s", quotedStart(text), wrong.Code, quotedStart(wrong.Expr))
	if wrong.Code == syntax.ErrInvalidPerlOp || wrong.Code == syntax.ErrInvalidEscape {
		message += ": the syntax is that of RE2, which has no lookahead, no lookbehind and no references to groups"
	}
	return nil, errors.New(message)
}

// checkPattern returns an error for a constant pattern that can't be compiled.
func checkPattern(text string) error {
	_, err := compileRegexp(text)
	return err
}

// checkOneGroup also returns an error for a pattern of regex.extract and regex.extractAll
// with several groups.
func checkOneGroup(text string) error {
	re, err := compileRegexp(text)
	if err != nil {
		return err
	}
	return oneGroup(re)
}

type (
	patternCompiler func(m meter, pattern ref.Val) (*regexp.Regexp, error)
	// patternFunc gets the arguments that follow the pattern.
	patternFunc func(m meter, re *regexp.Regexp, text string, rest []ref.Val) (ref.Val, error)
)

func withPattern(compile patternCompiler, original functions.FunctionOp, f patternFunc) runner {
	return func(m meter, args []ref.Val) ref.Val {
		text, isText := args[0].(types.String)
		if _, isPattern := args[1].(types.String); !isText || !isPattern {
			return original(args...)
		}
		re, err := compile(m, args[1])
		if err != nil {
			return types.WrapErr(err)
		}
		m.charge(scanCost(re, text))
		result, err := f(m, re, string(text), args[2:])
		if err != nil {
			return types.WrapErr(err)
		}
		return result
	}
}

// scanCost returns the cost of going through the text once.
func scanCost(re *regexp.Regexp, text types.String) uint64 {
	return saturatingAdd(1, saturatingMul(uint64(len(text)), uint64(len(re.String())))/40)
}

func extract(_ meter, re *regexp.Regexp, text string, _ []ref.Val) (ref.Val, error) {
	if err := oneGroup(re); err != nil {
		return nil, err
	}
	match := re.FindStringSubmatchIndex(text)
	if match == nil {
		return types.OptionalNone, nil
	}
	part := matched(text, match)
	if part == "" && re.NumSubexp() > 0 {
		return types.OptionalNone, nil
	}
	return types.OptionalOf(types.String(part)), nil
}

func extractAll(m meter, re *regexp.Regexp, text string, _ []ref.Val) (ref.Val, error) {
	if err := oneGroup(re); err != nil {
		return nil, err
	}
	matches := allMatches(m, re, text, -1)
	parts := make([]string, 0, len(matches))
	for _, match := range matches {
		if part := matched(text, match); part != "" || re.NumSubexp() == 0 {
			parts = append(parts, part)
		}
	}
	return types.NewStringList(types.DefaultTypeAdapter, parts), nil
}

func oneGroup(re *regexp.Regexp) error {
	if re.NumSubexp() > 1 {
		return fmt.Errorf("the pattern %s has several groups: write (?:...) for those that are not to be returned, or use regex.captures", quotedStart(re.String()))
	}
	return nil
}

// matched returns the text of the last group of a match, or "" if the group is not part
// of the match. Group 0 is the whole match.
func matched(text string, match []int) string {
	start, end := match[len(match)-2], match[len(match)-1]
	if start < 0 {
		return ""
	}
	return text[start:end]
}

// allMatches returns up to limit matches, or all if limit is negative. Finding a match
// may take a look at the whole text. So allMatches looks for a few matches first, then
// for four times as many, and checks in between whether the attempt has ended.
func allMatches(m meter, re *regexp.Regexp, text string, limit int) [][]int {
	const atOnce = 1 << 20 // bytes to look at
	for n := max(4, atOnce/(len(text)+1)); ; n *= 4 {
		if limit >= 0 && limit <= n {
			return re.FindAllStringSubmatchIndex(text, limit)
		}
		if matches := re.FindAllStringSubmatchIndex(text, n); len(matches) < n {
			return matches
		}
		m.charge(scanCost(re, types.String(text)))
	}
}

func replaceMatches(m meter, re *regexp.Regexp, text string, rest []ref.Val) (ref.Val, error) {
	with, ok := rest[0].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(rest[0]), nil
	}
	limit := -1
	if len(rest) > 1 {
		n, ok := rest[1].(types.Int)
		if !ok {
			return types.MaybeNoSuchOverloadErr(rest[1]), nil
		}
		limit = int(max(n, -1))
	}
	if limit == 0 {
		return types.String(text), nil
	}
	var out strings.Builder
	last := 0
	for _, match := range allMatches(m, re, text, limit) {
		start := out.Len()
		out.WriteString(text[last:match[0]])
		if err := expand(&out, re, text, match, string(with)); err != nil {
			return nil, err
		}
		last = match[1]
		m.charge(textCost(out.Len() - start))
	}
	out.WriteString(text[last:])
	return types.String(out.String()), nil
}

// expand writes a replacement. In it, \1 to \9 stand for the groups of the match, \0
// for the match and \\ for a backslash.
func expand(out *strings.Builder, re *regexp.Regexp, text string, match []int, with string) error {
	for i := 0; i < len(with); i++ {
		if with[i] != '\\' {
			out.WriteByte(with[i])
			continue
		}
		i++
		if i == len(with) {
			return fmt.Errorf(`invalid replacement string: '%s' \ not allowed at end`, with)
		}
		next, _ := utf8.DecodeRuneInString(with[i:])
		group := int(next - '0')
		switch {
		case next == '\\':
			out.WriteByte('\\')
		case next < '0' || next > '9':
			return fmt.Errorf(`invalid replacement string: '%s' \ must be followed by a digit or \`, with)
		case group > re.NumSubexp():
			return fmt.Errorf("replacement string references group %d but regex has only %d group(s)", group, re.NumSubexp())
		case match[2*group] >= 0:
			out.WriteString(text[match[2*group]:match[2*group+1]])
		}
	}
	return nil
}
