package cel

import (
	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// meteredCall is a call of a function that charges its cost to the meter.
type meteredCall struct {
	interpreter.InterpretableCall
	args    []interpreter.InterpretableV2
	run     runner
	explain explainer
}

// noOverload is cel-go's message about arguments of types that a function does not take.
const noOverload = "no such overload"

// mismatched returns the error of a function about arguments of types that it does not
// take. The explainer names them.
func mismatched() ref.Val { return types.NewErr("%s", noOverload) }

// runner makes a call and charges for it. None of the arguments is an error.
type runner func(m meter, args []ref.Val) ref.Val

// Exec implements cel-go's InterpretableV2.
func (c *meteredCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	var few [4]ref.Val
	args := few[:0]
	for _, arg := range c.args {
		value := arg.Exec(frame)
		if types.IsUnknownOrError(value) {
			return value
		}
		args = append(args, value)
	}
	result := c.run(meterOf(frame), args)
	if err, ok := result.(*types.Err); ok {
		return c.explain.call(c.ID(), c.Function(), args, err)
	}
	return result
}

// Eval implements cel-go's Interpretable.
func (c *meteredCall) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, c.Exec)
}

// bound returns the most that a call with the arguments may cost.
type bound func(m meter, args []ref.Val) uint64

// priced charges the bound before the call.
func priced(b bound, call functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		m.charge(b(m, args))
		return call(args...)
	}
}

// decorator returns the hook with which cel-go replaces operators and calls by those of
// this package. In an expression with a loop, it also replaces functions whose time grows
// in proportion to their arguments: the loop may call them often, and the expression may
// build a list that is longer than anything in the record.
func (c *compiler) decorator(tree *celgo.Ast) interpreter.InterpretableDecoratorV2 {
	d := decoration{c, explainer{tree}, loops(tree), demandsOn(tree)}
	return func(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		switch node := node.(type) {
		case interpreter.InterpretableConst:
			return d.demanded(node), nil
		case *attribute: // with another step
			node.wanted = d.demands[node.ID()]
			return node, nil
		case interpreter.InterpretableAttribute:
			return &attribute{node, d.explain, d.demands[node.ID()]}, nil
		case interpreter.InterpretableCall:
			return d.demanded(d.call(node)), nil
		default:
			return d.demanded(node), nil
		}
	}
}

// decoration is what the decorator of an expression goes by.
type decoration struct {
	*compiler
	explain explainer
	loops   bool
	demands map[int64]*demand
}

// demanded wraps a part of the expression that a demand is about.
func (d *decoration) demanded(node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if wanted := d.demands[node.ID()]; wanted != nil {
		return &demanding{node, wanted}
	}
	return node
}

// call returns this package's form of a call.
func (d *decoration) call(call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	if call.Function() == overloads.TypeConvertString && !constantOperand(call) {
		return &stringCall{InterpretableCall: call, arg: call.Args()[0], explain: d.explain}
	}
	for _, operator := range []func(explainer, interpreter.InterpretableCall) interpreter.InterpretableV2{
		newComparison, newMembership, newArithmetic,
	} {
		if own := operator(d.explain, call); own != nil {
			return own
		}
	}
	switch run := d.runner(d.explain.tree, call, d.loops); {
	case run != nil && call.Function() == overloads.Matches:
		// cel-go would replace a call by its own.
		return hidden{&meteredCall{call, call.Args(), run, d.explain}}
	case run != nil:
		return &meteredCall{call, call.Args(), run, d.explain}
	case call.Function() == operators.NotStrictlyFalse: // takes anything
		return call
	default:
		return &wrappedCall{call, d.explain}
	}
}

// hidden is a call that cel-go does not know to be one.
type hidden struct{ interpreter.InterpretableV2 }

// runner returns the metered form of a call, or nil if it needs none.
func (c *compiler) runner(tree *celgo.Ast, call interpreter.InterpretableCall, loops bool) runner {
	if f := textRunner(tree, call); f != nil {
		return f
	}
	if plan := implementations[call.Function()]; plan != nil {
		return plan(call.Args())
	}
	implementation := c.implementation(call)
	if own := ownRunner(call, implementation); own != nil {
		return own
	}
	b := superlinear[call.Function()]
	if b == nil && loops && !constantOperand(call) {
		b = linear[call.Function()]
	}
	if b == nil || implementation == nil {
		return nil
	}
	return priced(b, implementation)
}

// constantOperand reports whether a call's last argument is constant. cel-go has a
// faster implementation for such calls.
func constantOperand(call interpreter.InterpretableCall) bool {
	args := call.Args()
	if len(args) == 0 {
		return false
	}
	_, constant := args[len(args)-1].(interpreter.InterpretableConst)
	return constant
}

// implementation returns the function that cel-go would call, or nil.
func (c *compiler) implementation(call interpreter.InterpretableCall) functions.FunctionOp {
	f := c.functions[call.OverloadID()]
	if f == nil {
		f = c.functions[call.Function()]
	}
	if f == nil || f.NonStrict {
		return nil
	}
	function := f.Function
	switch n := len(call.Args()); {
	case n == 1 && f.Unary != nil:
		function = func(args ...ref.Val) ref.Val { return f.Unary(args[0]) }
	case n == 2 && f.Binary != nil:
		function = func(args ...ref.Val) ref.Val { return f.Binary(args[0], args[1]) }
	}
	if function == nil || f.OperandTrait == 0 {
		return function
	}
	return func(args ...ref.Val) ref.Val {
		if !args[0].Type().HasTrait(f.OperandTrait) {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		return function(args...)
	}
}

// stringCall is the call string(x). A double that represents a number in the record's
// JSON becomes the text of that number.
type stringCall struct {
	interpreter.InterpretableCall
	arg     interpreter.InterpretableV2
	explain explainer
}

// Exec implements cel-go's InterpretableV2.
func (c *stringCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := c.arg.Exec(frame)
	if types.IsUnknownOrError(value) {
		return value
	}
	if f, ok := value.(types.Double); ok {
		text, err := meterOf(frame).vars.results.notes.double(f)
		if err != nil {
			return failed(c.ID(), "%s", err)
		}
		if text != "" {
			return types.String(text)
		}
	}
	result := value.ConvertToType(types.StringType)
	if err, ok := result.(*types.Err); ok {
		return c.explain.call(c.ID(), c.Function(), []ref.Val{value}, err)
	}
	if frame.CostTracker() != nil {
		text, _ := result.(types.String)
		meterOf(frame).charge(textCost(len(text)))
	}
	return result
}

// Eval implements cel-go's Interpretable.
func (c *stringCall) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, c.Exec)
}
