package cel

import (
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// ownRunner returns a runner that replaces cel-go's implementation of a function, or
// nil. It replaces functions that compare each element of a list with each of another,
// and those with regular expressions.
//
// These runners charge as they go: a search that ends early costs little, and the limit
// or the attempt's deadline ends a long one. They leave arguments of other types to
// original.
func ownRunner(call interpreter.InterpretableCall, original functions.FunctionOp) runner {
	lists := func(f listFunc) runner { return onLists(f, original) }
	switch call.Function() {
	case "sets.contains", "hasAll":
		return lists(contains)
	case "hasOnly":
		return lists(func(m meter, a, b traits.Lister) ref.Val { return contains(m, b, a) })
	case "sets.intersects", "hasAny":
		return lists(intersects)
	case "sets.equivalent", "hasExactly":
		return lists(equivalent)
	case "distinct":
		return distinct(original)
	case "sort", "@sortByAssociatedKeys":
		return sortRunner(original)
	case "math.round", "math.ceil", "math.floor", "math.trunc", "math.isNaN", "math.isInf", "math.isFinite":
		return onDouble(original)
	case operators.Negate:
		return negation(original)
	default:
		return regexRunner(call, original)
	}
}

type listFunc func(m meter, a, b traits.Lister) ref.Val

func onLists(f listFunc, original functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		a, isList := args[0].(traits.Lister)
		b, areLists := args[1].(traits.Lister)
		if !isList || !areLists {
			return original(args...)
		}
		return f(m, a, b)
	}
}

// contains reports whether a list has all elements of another one.
func contains(m meter, list, sub traits.Lister) ref.Val {
	each := m.weigh(list)
	for it := sub.Iterator(); it.HasNext() == types.True; {
		m.charge(each)
		if found := list.Contains(it.Next()); found != types.True {
			return found
		}
	}
	return types.True
}

// intersects reports whether two lists have an element in common.
func intersects(m meter, a, b traits.Lister) ref.Val {
	each := m.weigh(b)
	for it := a.Iterator(); it.HasNext() == types.True; {
		m.charge(each)
		if b.Contains(it.Next()) == types.True {
			return types.True
		}
	}
	return types.False
}

// equivalent reports whether two lists hold the same elements.
func equivalent(m meter, a, b traits.Lister) ref.Val {
	if found := contains(m, a, b); found != types.True {
		return found
	}
	return contains(m, b, a)
}

func distinct(original functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		list, ok := args[0].(traits.Lister)
		if !ok {
			return original(args...)
		}
		return withoutRepetitions(m, list)
	}
}

// withoutRepetitions returns a list without the elements that equal an earlier one.
func withoutRepetitions(m meter, list traits.Lister) ref.Val {
	var found []ref.Val
	each := uint64(1) // the cost of comparing a value with all found ones
	for it := list.Iterator(); it.HasNext() == types.True; {
		element := it.Next()
		m.charge(each)
		if !has(found, element) {
			found = append(found, element)
			each += m.weigh(element)
		}
	}
	if len(found) == sizeOf(list) {
		return list
	}
	return types.NewRefValList(adapter{}, found)
}

func has(list []ref.Val, element ref.Val) bool {
	for _, other := range list {
		if element.Equal(other) == types.True {
			return true
		}
	}
	return false
}

func comparisonCost(m meter, a, b ref.Val) uint64 {
	switch a := a.(type) {
	case types.String:
		return textCost(len(a))
	case types.Bytes:
		return textCost(len(a))
	case *binary:
		return textCost(len(a.Bytes))
	case traits.Mapper, traits.Lister:
		switch b.(type) {
		case traits.Mapper, traits.Lister:
			return min(m.weigh(a), m.weigh(b))
		}
	}
	return 1
}
