package cel

import (
	"slices"

	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// sortRunner returns a runner for sort() and for what sortBy() stands for. Unlike cel-go's
// it sorts numbers of different types, such as those of JSON.
func sortRunner(original functions.FunctionOp) runner {
	return func(m meter, args []ref.Val) ref.Val {
		list, ok := args[0].(traits.Lister)
		keys, both := args[len(args)-1].(traits.Lister)
		if !ok || !both {
			return original(args...)
		}
		m.charge(sortCost(m, args))
		sorted, err := sortedBy(list, keys)
		if err != nil {
			return types.WrapErr(err)
		}
		return types.NewRefValList(adapter{}, sorted)
	}
}

// sortedBy returns the elements of a list in the order of the keys at the same positions.
// Elements with equal keys stay in their order.
func sortedBy(list, keys traits.Lister) ([]ref.Val, error) {
	type pair struct{ key, value ref.Val }
	pairs := make([]pair, sizeOf(list))
	for i := range pairs {
		pairs[i] = pair{keys.Get(types.Int(i)), list.Get(types.Int(i))}
	}
	var failed error
	slices.SortStableFunc(pairs, func(a, b pair) int {
		order, err := orderOf(a.key, b.key)
		if err != nil && failed == nil {
			failed = err
		}
		return order
	})
	sorted := make([]ref.Val, len(pairs))
	for i := range pairs {
		sorted[i] = pairs[i].value
	}
	return sorted, failed
}
