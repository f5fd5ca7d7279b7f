package cel

import (
	"fmt"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// aggregates declares the functions that make one value of a list.
func aggregates() []celgo.EnvOption {
	element := celgo.TypeParamType("T")
	list := celgo.ListType(element)
	return []celgo.EnvOption{
		declare("sum", member("list_sum", celgo.DynType, list)),
		declare("min", member("list_min", element, list)),
		declare("max", member("list_max", element, list)),
		celgo.Macros(celgo.ReceiverMacro("reduce", 4, expandReduce)),
	}
}

// sum adds the numbers, or the durations, of a list.
func sum(m meter, args []ref.Val) ref.Val {
	list, ok := args[0].(traits.Lister)
	if !ok {
		return mismatched()
	}
	m.charge(uint64(sizeOf(list)))
	add := arithmeticOperators[operators.Add]
	total := ref.Val(types.IntZero)
	for i, it := 0, list.Iterator(); it.HasNext() == types.True; i++ {
		element := it.Next()
		_, isNumber := toDouble(element)
		_, isDuration := element.(types.Duration)
		switch {
		case types.IsError(element):
			return element
		case isDuration && i == 0:
			total = element
			continue
		case !isNumber && !isDuration:
			return types.NewErr("sum: adds numbers, but element %d is %s", i, withArticle(element))
		}
		if total = add.apply(total, element); types.IsError(total) {
			return types.NewErr("sum: at element %d: %s", i, total)
		}
	}
	return total
}

func least(m meter, args []ref.Val) ref.Val {
	return extreme(m, "min", args[0], func(order int) bool { return order < 0 })
}

func greatest(m meter, args []ref.Val) ref.Val {
	return extreme(m, "max", args[0], func(order int) bool { return order > 0 })
}

// extreme returns the element of a list that is before all others.
func extreme(m meter, name string, value ref.Val, before func(order int) bool) ref.Val {
	list, ok := value.(traits.Lister)
	if !ok {
		return mismatched()
	}
	if sizeOf(list) == 0 {
		return types.NewErr("%s: the list is empty: test size(LIST) > 0 first", name)
	}
	m.charge(m.weigh(list))
	var found ref.Val
	for it := list.Iterator(); it.HasNext() == types.True; {
		element := it.Next()
		if types.IsError(element) {
			return element
		}
		if found == nil {
			found = element
			continue
		}
		order, err := orderOf(element, found)
		if err != nil {
			return types.NewErr("%s: %s", name, err)
		}
		if before(order) {
			found = element
		}
	}
	return found
}

// orderOf compares two numbers, or two values of another type.
func orderOf(a, b ref.Val) (int, error) {
	if order, ok := compareNumbers(a, b); ok {
		return order, nil
	}
	if comparer, ok := a.(traits.Comparer); ok && a.Type() == b.Type() {
		if order, ok := comparer.Compare(b).(types.Int); ok {
			return int(order), nil
		}
	}
	return 0, fmt.Errorf("the list has %s and %s, which have no order", withArticle(b), withArticle(a))
}

// expandReduce expands list.reduce(total, x, START, EXPRESSION), which evaluates the
// expression for each element and returns the last total.
func expandReduce(f celgo.MacroExprFactory, list ast.Expr, args []ast.Expr) (ast.Expr, *celgo.Error) {
	for _, name := range args[:2] {
		if name.Kind() != ast.IdentKind {
			return nil, f.NewError(name.ID(), "reduce() takes two names first: reduce(total, element, START, EXPRESSION)")
		}
	}
	total, element := args[0].AsIdent(), args[1].AsIdent()
	if total == element {
		return nil, f.NewError(args[1].ID(), "reduce() takes two names that differ")
	}
	return f.NewComprehension(list, element, total, args[2], f.NewLiteral(types.True), args[3], f.NewIdent(total)), nil
}
