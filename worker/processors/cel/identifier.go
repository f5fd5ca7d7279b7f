package cel

import (
	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/google/uuid"
)

func identifiers() []celgo.EnvOption {
	return []celgo.EnvOption{declare("uuid", global("uuid", celgo.StringType), global("uuid_string", celgo.StringType, celgo.StringType))}
}

// newUUID returns a random UUID, another one for each call, or the one that belongs to a
// text: version 5, in the name space of URLs.
func newUUID(m meter, args []ref.Val) ref.Val {
	if len(args) == 0 {
		m.charge(10)
		id, err := uuid.NewRandom()
		if err != nil {
			return types.WrapErr(err)
		}
		return types.String(id.String())
	}
	name, ok := args[0].(types.String)
	if !ok {
		return mismatched()
	}
	m.charge(10 + textCost(len(name)))
	return types.String(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String())
}
