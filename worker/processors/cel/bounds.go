package cel

import (
	"math/bits"
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// superlinear holds the functions whose time or memory may grow faster than their
// arguments.
var superlinear = map[string]bound{
	"lists.range": rangeCost,
	"flatten":     allArguments,
	"indexOf":     searchCost,
	"lastIndexOf": searchCost,
	"replace":     replaceCost,
	"join":        joinCost,
	"format":      allArguments,
}

// linear holds the functions whose time grows in proportion to a list or map among
// their arguments. cel-go charges a constant for them, or charges after the call.
var linear = map[string]bound{
	operators.In: allArguments,
	"reverse":    length,
	"slice":      length,
	"math.@min":  length,
	"math.@max":  length,
}

func allArguments(m meter, args []ref.Val) uint64 {
	s := scale{limit: m.vars.limit}
	for _, arg := range args {
		if !s.add(arg) {
			break
		}
	}
	return s.units
}

func length(_ meter, args []ref.Val) uint64 {
	if text, ok := args[0].(types.String); ok {
		return textCost(len(text))
	}
	return uint64(sizeOf(args[0]))
}

// sizeOf returns the number of elements of a list, and 0 for any other value.
func sizeOf(v ref.Val) int {
	if list, ok := v.(traits.Lister); ok {
		n, _ := list.Size().(types.Int)
		return int(n)
	}
	return 0
}

// rangeCost returns two units for each element, which takes 16 bytes.
func rangeCost(_ meter, args []ref.Val) uint64 {
	n, _ := args[0].(types.Int)
	return 2 * uint64(max(n, 0))
}

// sortCost returns the cost of comparing each element with log n others.
func sortCost(m meter, args []ref.Val) uint64 {
	keys := args[len(args)-1]
	return saturatingMul(m.weigh(keys), uint64(bits.Len(uint(sizeOf(keys)))))
}

// searchCost returns the cost of cel-go's search, which compares rune by rune at every
// position.
func searchCost(_ meter, args []ref.Val) uint64 {
	text, _ := args[0].(types.String)
	wanted, _ := args[1].(types.String)
	return saturatingAdd(textCost(len(text)), saturatingMul(uint64(len(text)), uint64(len(wanted)))/100)
}

func replaceCost(_ meter, args []ref.Val) uint64 {
	text, _ := args[0].(types.String)
	old, _ := args[1].(types.String)
	with, _ := args[2].(types.String)
	n := strings.Count(string(text), string(old))
	if len(args) > 3 {
		if limit, ok := args[3].(types.Int); ok && limit >= 0 {
			n = min(n, int(limit))
		}
	}
	return saturatingAdd(textCost(len(text)), saturatingMul(uint64(n), textCost(len(with))))
}

func joinCost(m meter, args []ref.Val) uint64 {
	units := m.weigh(args[0])
	if len(args) > 1 {
		separator, _ := args[1].(types.String)
		units = saturatingAdd(units, saturatingMul(uint64(sizeOf(args[0])), textCost(len(separator))))
	}
	return units
}
