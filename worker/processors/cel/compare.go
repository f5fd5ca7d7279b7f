package cel

import (
	"bytes"

	celgo "cel.dev/cel-go/cel"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// The checker knows no comparison of an int with a double, and none of text with bytes.
// Where an expression has one, repair puts these functions in the operators' place.
const (
	equalName   = "@equal"
	unequalName = "@unequal"
)

// comparison is a call of ==, !=, <, <=, > or >=. Unlike cel-go's, it compares numbers of
// different types by all of their digits, and bytes with text.
type comparison struct {
	interpreter.InterpretableCall
	lhs, rhs interpreter.InterpretableV2
	digits   [2]string            // of a constant double on either side, as it is written
	holds    func(order int) bool // nil for equality
	negate   bool                 // of equality
	explain  explainer
	scalar   bool // one side is a constant that is cheap to compare with
}

var orders = map[string]func(order int) bool{
	operators.Less:          func(order int) bool { return order < 0 },
	operators.LessEquals:    func(order int) bool { return order <= 0 },
	operators.Greater:       func(order int) bool { return order > 0 },
	operators.GreaterEquals: func(order int) bool { return order >= 0 },
}

// newComparison returns nil for calls of other functions.
func newComparison(x explainer, call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	c := &comparison{InterpretableCall: call, explain: x}
	switch call.Function() {
	case operators.Equals, equalName:
	case operators.NotEquals, unequalName:
		c.negate = true
	default:
		if c.holds = orders[call.Function()]; c.holds == nil {
			return nil
		}
	}
	c.lhs, c.rhs = call.Args()[0], call.Args()[1]
	c.digits = [2]string{writtenDigits(x.tree, c.lhs), writtenDigits(x.tree, c.rhs)}
	c.scalar = c.holds != nil || isConstant(c.lhs) || isConstant(c.rhs)
	return c
}

func isConstant(node interpreter.InterpretableV2) bool {
	_, ok := node.(interpreter.InterpretableConst)
	return ok
}

// Exec implements cel-go's InterpretableV2.
func (c *comparison) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	lhs := c.lhs.Exec(frame)
	if types.IsUnknownOrError(lhs) {
		return lhs
	}
	rhs := c.rhs.Exec(frame)
	if types.IsUnknownOrError(rhs) {
		return rhs
	}
	// In a loop, cel-go would charge for comparing two lists as for two numbers.
	costs := frame.CostTracker()
	if costs != nil && !c.scalar {
		m := meterOf(frame)
		m.charge(comparisonCost(m, lhs, rhs))
	}
	result := c.compare(frame, lhs, rhs)
	if err, ok := result.(*types.Err); ok {
		result = c.explain.call(c.ID(), c.Function(), []ref.Val{lhs, rhs}, err)
	}
	if costs != nil && c.scalar {
		costs.EvalBinary(frame, c.ID(), c, lhs, rhs, result)
	}
	return result
}

// Eval implements cel-go's Interpretable.
func (c *comparison) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, c.Exec)
}

func (c *comparison) compare(frame *interpreter.ExecutionFrame, lhs, rhs ref.Val) ref.Val {
	if isDouble(lhs) || isDouble(rhs) {
		notes := &meterOf(frame).vars.results.notes
		order, ok, err := notes.compare(c.digits, lhs, rhs)
		switch {
		case err != nil:
			return failed(c.ID(), "%s", err)
		case ok && c.holds != nil:
			return types.Bool(c.holds(order))
		case ok:
			return types.Bool((order == 0) != c.negate)
		}
	}
	if c.holds != nil {
		return c.order(lhs, rhs)
	}
	return c.equality(lhs, rhs)
}

func (c *comparison) equality(lhs, rhs ref.Val) ref.Val {
	result := equal(lhs, rhs)
	if b, ok := result.(types.Bool); ok && c.negate {
		return !b
	}
	return result
}

// equal compares two values. Their elements are compared as cel-go does.
func equal(lhs, rhs ref.Val) ref.Val {
	switch l := lhs.(type) {
	case types.String:
		if r, ok := rhs.(types.String); ok {
			return types.Bool(l == r)
		}
		return equalBytes(l, rhs)
	case types.Int, types.Uint, types.Double:
		if order, ok := compareNumbers(lhs, rhs); ok {
			return types.Bool(order == 0)
		}
		return types.False
	case types.Bytes, *binary:
		return equalBytes(l, rhs)
	default:
		return types.Equal(lhs, rhs)
	}
}

func equalBytes(lhs, rhs ref.Val) ref.Val {
	l, _ := rawBytes(lhs)
	r, ok := rawBytes(rhs)
	return types.Bool(ok && bytes.Equal(l, r))
}

func (c *comparison) order(lhs, rhs ref.Val) ref.Val {
	if order, ok := compareNumbers(lhs, rhs); ok {
		return types.Bool(c.holds(order))
	}
	comparer, ok := lhs.(traits.Comparer)
	if !ok {
		return mismatched()
	}
	result := comparer.Compare(rhs)
	if order, ok := result.(types.Int); ok {
		return types.Bool(c.holds(int(order)))
	}
	return result
}

// membership is the operator in with a list of constants, as a set. cel-go's own set
// panics if the value can't be the key of a Go map.
type membership struct {
	call  interpreter.InterpretableCall
	value interpreter.InterpretableV2
	list  traits.Lister
	set   map[ref.Val]struct{} // the texts and ints of the list
	whole bool                 // the list has nothing else
}

// newMembership returns nil unless the call is the operator in with a list of constants.
func newMembership(_ explainer, call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	if call.Function() != operators.In {
		return nil
	}
	constant, ok := call.Args()[1].(interpreter.InterpretableConst)
	if !ok {
		return nil
	}
	list, ok := constant.Value().(traits.Lister)
	if !ok {
		return nil
	}
	m := &membership{call: call, value: call.Args()[0], list: list, set: map[ref.Val]struct{}{}, whole: true}
	for it := list.Iterator(); it.HasNext() == types.True; {
		switch element := it.Next().(type) {
		case types.String, types.Int:
			m.set[element] = struct{}{}
		default:
			m.whole = false
		}
	}
	return m
}

// ID implements cel-go's Interpretable.
func (m *membership) ID() int64 { return m.call.ID() }

// Exec implements cel-go's InterpretableV2.
func (m *membership) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := m.value.Exec(frame)
	switch value.(type) {
	case *types.Err, *types.Unknown:
		return value
	case types.String, types.Int:
		if _, ok := m.set[value]; ok || m.whole {
			return types.Bool(ok)
		}
	}
	found := types.False
	for it := m.list.Iterator(); it.HasNext() == types.True && found != types.True; {
		found = equal(value, it.Next()) == types.True
	}
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalBinary(frame, m.ID(), m.call, value, m.list, found)
	}
	return found
}

// Eval implements cel-go's Interpretable.
func (m *membership) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, m.Exec)
}

// comparisons declares the functions that repair puts in the place of == and !=.
func comparisons() []celgo.EnvOption {
	any := func(name string) celgo.EnvOption {
		return declare(name, global(name, celgo.BoolType, celgo.DynType, celgo.DynType))
	}
	return []celgo.EnvOption{any(equalName), any(unequalName)}
}
