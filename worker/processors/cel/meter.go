package cel

import (
	"context"
	"math"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// defaultLimit bounds one evaluation of an expression, in cel-go's units: about one for
// each operator and access, and one for ten bytes of text. An evaluation takes about a
// second to reach it.
const defaultLimit = 10_000_000

// meter charges an evaluation for calls whose cost may grow faster than their
// arguments. It charges before a call or while it runs. cel-go would charge after the
// call, which may have taken hours by then.
type meter struct {
	frame *interpreter.ExecutionFrame
	vars  *variables
}

// evaluationName is the name under which the meter finds the evaluation's variables. No
// expression can contain it.
const evaluationName = "@evaluation"

// meterOf returns the meter of a frame's evaluation.
func meterOf(frame *interpreter.ExecutionFrame) meter {
	v, _ := frame.ResolveName(evaluationName)
	vars, _ := v.(*variables)
	return meter{frame, vars}
}

// charge adds units to the evaluation's cost. If the cost exceeds the limit, or if the
// attempt's context has ended, it ends the evaluation by a panic, which cel-go recovers.
func (m meter) charge(units uint64) {
	if tracker := m.frame.CostTracker(); tracker != nil {
		tracker.EvalUnary(m.frame, 0, chargeCall{}, types.Uint(units), types.NullValue)
	} else if m.vars.spent = saturatingAdd(m.vars.spent, units); m.vars.spent > m.vars.limit {
		panic(interpreter.EvalCancelledError{Cause: interpreter.CostLimitExceeded, Message: "cost limit exceeded"})
	}
	if m.vars.ctx.Err() != nil {
		panic(interpreter.EvalCancelledError{Cause: interpreter.ContextCancelled, Message: "interrupted"})
	}
}

// chargeCall is a call whose cost is its argument. It adds a charge to the costs that
// cel-go tracks for expressions with loops.
type chargeCall struct{}

const chargeOverload = "millrace_charge"

// Function implements cost.Call.
func (chargeCall) Function() string { return chargeOverload }

// OverloadID implements cost.Call.
func (chargeCall) OverloadID() string { return chargeOverload }

func trackCharge(args []ref.Val, _ ref.Val) *uint64 {
	units := uint64(args[0].(types.Uint))
	return &units
}

// uncalled is a context for cel-go, which derives another one from it for asynchronous
// functions. Expressions have no such functions, so the derived context need not end
// with the attempt, and no goroutine has to wait for that.
type uncalled struct{ context.Context }

// AfterFunc keeps package context from starting a goroutine.
func (uncalled) AfterFunc(func()) (stop func() bool) { return func() bool { return true } }

func saturatingAdd(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

func saturatingMul(a, b uint64) uint64 {
	if b != 0 && a > math.MaxUint64/b {
		return math.MaxUint64
	}
	return a * b
}

// weigh returns the cost of going once through a value and everything in it. It stops
// at the limit.
func (m meter) weigh(v ref.Val) uint64 { return weigh(v, m.vars.limit) }

// textCost returns the cost of going through n bytes of text once.
func textCost(n int) uint64 { return 1 + uint64(n)/10 }
