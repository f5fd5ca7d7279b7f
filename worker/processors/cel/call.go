package cel

import (
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// meteredCall is a call of a function that charges its cost to the meter.
type meteredCall struct {
	interpreter.InterpretableCall
	args []interpreter.InterpretableV2
	run  runner
}

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
	return c.run(meterOf(frame), args)
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

// decorator returns the hook with which cel-go replaces calls by metered ones. In an
// expression with a loop, it also replaces functions whose time grows in proportion to
// their arguments: the loop may call them often, and the expression may build a list
// that is longer than anything in the record.
func (c *compiler) decorator(loops bool) interpreter.InterpretableDecoratorV2 {
	return func(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		call, ok := node.(interpreter.InterpretableCall)
		if !ok {
			return node, nil
		}
		if call.Function() == overloads.TypeConvertString && !constantOperand(call) {
			return &stringCall{InterpretableCall: call, arg: call.Args()[0]}, nil
		}
		run := c.runner(call, loops)
		if run == nil {
			return node, nil
		}
		return &meteredCall{InterpretableCall: call, args: call.Args(), run: run}, nil
	}
}

// runner returns the metered form of a call, or nil if it needs none.
func (c *compiler) runner(call interpreter.InterpretableCall, loops bool) runner {
	implementation := c.implementation(call)
	if own := ownRunner(call, implementation, loops); own != nil {
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
	arg interpreter.InterpretableV2
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
			return types.WrapErr(err)
		}
		if text != "" {
			return types.String(text)
		}
	}
	result := value.ConvertToType(types.StringType)
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
