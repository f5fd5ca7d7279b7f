package cel

import (
	"cmp"
	"math"
	"math/big"
	"strconv"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// mixedArithmetic declares the operators for numbers of different types. JSON has one
// kind of number, so the same member may be an int in one record and a double in the
// next. With a double the result is a double; an int with a uint has an exact result, of
// whichever of the two types can hold it.
func mixedArithmetic() []celgo.EnvOption {
	var options []celgo.EnvOption
	for operator, name := range map[string]string{
		operators.Add: "add", operators.Subtract: "subtract", operators.Multiply: "multiply", operators.Divide: "divide",
		operators.Modulo: "modulo",
	} {
		overloads := []celgo.FunctionOpt{
			mixed(name+"_int_uint", celgo.IntType, celgo.UintType, celgo.DynType),
			mixed(name+"_uint_int", celgo.UintType, celgo.IntType, celgo.DynType),
		}
		if operator != operators.Modulo {
			overloads = append(overloads,
				mixed(name+"_int_double", celgo.IntType, celgo.DoubleType, celgo.DoubleType),
				mixed(name+"_uint_double", celgo.UintType, celgo.DoubleType, celgo.DoubleType),
				mixed(name+"_double_int", celgo.DoubleType, celgo.IntType, celgo.DoubleType),
				mixed(name+"_double_uint", celgo.DoubleType, celgo.UintType, celgo.DoubleType))
		}
		options = append(options, celgo.Function(operator, overloads...))
	}
	return append(options, celgo.Function(operators.Negate,
		celgo.Overload("negate_uint", []*celgo.Type{celgo.UintType}, celgo.DynType)))
}

func mixed(id string, a, b, result *celgo.Type) celgo.FunctionOpt {
	return celgo.Overload(id, []*celgo.Type{a, b}, result)
}

// arithmetic is a call of +, -, *, / or %. It takes numbers of different types, too.
type arithmetic struct {
	interpreter.InterpretableCall
	lhs, rhs interpreter.InterpretableV2
	operator operator
	explain  explainer
}

// operator has the forms of an arithmetic operator.
type operator struct {
	values  func(a, b ref.Val) ref.Val // cel-go's, for values of one type
	exact   func(a, b *big.Int) *big.Int
	doubles func(a, b float64) float64 // nil if the operator takes no doubles
	byZero  string                     // the error for whole numbers if b is zero
}

var arithmeticOperators = map[string]operator{
	operators.Add: {
		values:  func(a, b ref.Val) ref.Val { return apply(a, traits.Adder.Add, b) },
		exact:   func(a, b *big.Int) *big.Int { return a.Add(a, b) },
		doubles: func(a, b float64) float64 { return a + b },
	},
	operators.Subtract: {
		values:  func(a, b ref.Val) ref.Val { return apply(a, traits.Subtractor.Subtract, b) },
		exact:   func(a, b *big.Int) *big.Int { return a.Sub(a, b) },
		doubles: func(a, b float64) float64 { return a - b },
	},
	operators.Multiply: {
		values:  func(a, b ref.Val) ref.Val { return apply(a, traits.Multiplier.Multiply, b) },
		exact:   func(a, b *big.Int) *big.Int { return a.Mul(a, b) },
		doubles: func(a, b float64) float64 { return a * b },
	},
	operators.Divide: {
		values:  func(a, b ref.Val) ref.Val { return apply(a, traits.Divider.Divide, b) },
		byZero:  "division by zero",
		exact:   func(a, b *big.Int) *big.Int { return a.Quo(a, b) },
		doubles: func(a, b float64) float64 { return a / b },
	},
	operators.Modulo: {
		values: func(a, b ref.Val) ref.Val { return apply(a, traits.Modder.Modulo, b) },
		byZero: "modulus by zero",
		exact:  func(a, b *big.Int) *big.Int { return a.Rem(a, b) },
	},
}

// apply calls a method of a value, if its type has it.
func apply[T any](a ref.Val, method func(T, ref.Val) ref.Val, b ref.Val) ref.Val {
	if receiver, ok := a.(T); ok {
		return method(receiver, b)
	}
	return mismatched()
}

// newArithmetic returns nil for calls of other functions, and where the checker knows
// that both operands have the same type.
func newArithmetic(x explainer, call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	operator, ok := arithmeticOperators[call.Function()]
	if !ok || sameTypes[call.OverloadID()] {
		return nil
	}
	return &arithmetic{InterpretableCall: call, lhs: call.Args()[0], rhs: call.Args()[1], operator: operator, explain: x}
}

// sameTypes holds cel-go's overloads for two numbers of the same type.
var sameTypes = map[string]bool{}

func init() {
	for _, name := range []string{"add", "subtract", "multiply", "divide", "modulo"} {
		for _, kind := range []string{"int64", "uint64", "double"} {
			sameTypes[name+"_"+kind] = true
		}
	}
}

// Exec implements cel-go's InterpretableV2.
func (a *arithmetic) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	lhs := a.lhs.Exec(frame)
	if types.IsUnknownOrError(lhs) {
		return lhs
	}
	rhs := a.rhs.Exec(frame)
	if types.IsUnknownOrError(rhs) {
		return rhs
	}
	result := a.operator.apply(lhs, rhs)
	if err, ok := result.(*types.Err); ok {
		result = a.explain.call(a.ID(), a.Function(), []ref.Val{lhs, rhs}, err)
	}
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalBinary(frame, a.ID(), a, lhs, rhs, result)
	}
	return result
}

// Eval implements cel-go's Interpretable.
func (a *arithmetic) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, a.Exec)
}

func (o *operator) apply(a, b ref.Val) ref.Val {
	if a.Type() == b.Type() && a.Type() != types.IntType && a.Type() != types.UintType {
		return o.values(a, b)
	}
	if isWhole(a) && isWhole(b) {
		if a.Type() == b.Type() {
			if result := o.values(a, b); !types.IsError(result) {
				return result
			}
		}
		return o.whole(a, b)
	}
	x, isNumber := toDouble(a)
	y, areNumbers := toDouble(b)
	if isNumber && areNumbers && o.doubles != nil {
		return types.Double(o.doubles(x, y))
	}
	return o.values(a, b)
}

// whole applies the operator to two whole numbers, exactly.
func (o *operator) whole(a, b ref.Val) ref.Val {
	x, y := toBig(a), toBig(b)
	if y.Sign() == 0 && o.byZero != "" {
		return types.NewErr("%s", o.byZero)
	}
	if result := o.exact(x, y); result.IsInt64() {
		return types.Int(result.Int64())
	} else if result.IsUint64() {
		return types.Uint(result.Uint64())
	}
	return types.NewErr("integer overflow")
}

// negation returns a runner that negates a uint, too.
func negation(original functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		m.charge(1)
		if u, ok := args[0].(types.Uint); ok {
			subtract := arithmeticOperators[operators.Subtract]
			return subtract.whole(types.Int(0), u)
		}
		return original(args...)
	}
}

// onDouble returns a runner for a function of a double, which takes whole numbers too: a
// number in JSON may be written without a fraction.
func onDouble(original functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		m.charge(1)
		const exact = 1 << 53 // a double can hold any whole number up to this one
		if isWhole(args[0]) && toBig(args[0]).CmpAbs(big.NewInt(exact)) <= 0 {
			f, _ := toDouble(args[0])
			return original(types.Double(f))
		}
		return original(args...)
	}
}

func isWhole(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint:
		return true
	default:
		return false
	}
}

func toBig(v ref.Val) *big.Int {
	if u, ok := v.(types.Uint); ok {
		return new(big.Int).SetUint64(uint64(u))
	}
	return big.NewInt(int64(v.(types.Int)))
}

func toDouble(v ref.Val) (float64, bool) {
	switch v := v.(type) {
	case types.Int:
		return float64(v), true
	case types.Uint:
		return float64(v), true
	case types.Double:
		return float64(v), true
	default:
		return 0, false
	}
}

func isDouble(v ref.Val) bool {
	_, ok := v.(types.Double)
	return ok
}

// writtenDigits returns the text of a constant double in the expression, or "".
func writtenDigits(tree *celgo.Ast, node interpreter.InterpretableV2) string {
	constant, ok := node.(interpreter.InterpretableConst)
	if !ok || !isDouble(constant.Value()) {
		return ""
	}
	at, _ := tree.NativeRep().SourceInfo().GetOffsetRange(node.ID())
	source := []rune(tree.Source().Content())
	if at.Start < 0 || at.Stop <= at.Start || int(at.Stop) > len(source) {
		return ""
	}
	text := string(source[at.Start:at.Stop])
	if f, err := strconv.ParseFloat(text, 64); err != nil || types.Double(f) != constant.Value() {
		return ""
	}
	return text
}

// compareNumbers compares two numbers by all of their digits. It returns false unless
// both are numbers. NaN is not equal to any number, and has no order.
func compareNumbers(a, b ref.Val) (order int, ok bool) {
	switch a := a.(type) {
	case types.Int:
		switch b := b.(type) {
		case types.Int:
			return cmp.Compare(a, b), true
		case types.Uint:
			if a < 0 {
				return -1, true
			}
			return cmp.Compare(types.Uint(a), b), true
		case types.Double:
			const exact = 1 << 53 // a double can hold any whole number up to this one
			if -exact <= a && a <= exact {
				return compareDoubles(float64(a), float64(b))
			}
			return compareWhole(big.NewInt(int64(a)), float64(b))
		}
	case types.Uint:
		switch b := b.(type) {
		case types.Uint:
			return cmp.Compare(a, b), true
		case types.Int, types.Double:
			order, ok = compareNumbers(b, a)
			return -order, ok
		}
	case types.Double:
		switch b := b.(type) {
		case types.Double:
			return compareDoubles(float64(a), float64(b))
		case types.Int:
			order, ok = compareNumbers(b, a)
			return -order, ok
		case types.Uint:
			order, ok = compareWhole(new(big.Int).SetUint64(uint64(b)), float64(a))
			return -order, ok
		}
	}
	return 0, false
}

func compareDoubles(a, b float64) (order int, ok bool) {
	return cmp.Compare(a, b), !math.IsNaN(a) && !math.IsNaN(b)
}

// compareWhole compares a whole number with a double.
func compareWhole(a *big.Int, b float64) (order int, ok bool) {
	switch {
	case math.IsNaN(b):
		return 0, false
	case math.IsInf(b, 0):
		return -int(math.Copysign(1, b)), true
	}
	return new(big.Float).SetInt(a).Cmp(big.NewFloat(b)), true
}
