package cel

import (
	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

const headerName = "header"

// recordFunctions declares the functions that read the record.
func recordFunctions() []celgo.EnvOption {
	return []celgo.EnvOption{declare(headerName, global("header_string", textType, celgo.StringType))}
}

// lastHeader returns the value of the last header with a name, or null if there is none.
func lastHeader(m meter, args []ref.Val) ref.Val {
	name, ok := args[0].(types.String)
	if !ok {
		return mismatched()
	}
	m.charge(uint64(len(m.vars.rec.Headers)))
	value, _ := m.vars.rec.Header(string(name))
	return textOrNull(value)
}
