package cel

import (
	"encoding/json"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
)

// weigh returns the cost of going once through a value and everything in it. It stops
// above the limit: lists that contain other lists many times over can have more elements
// than a program can count.
func weigh(value any, limit uint64) uint64 {
	s := scale{limit: limit}
	s.add(value)
	return s.units
}

type scale struct{ units, limit uint64 }

// add adds the cost of a value. It returns false above the limit.
func (s *scale) add(value any) bool {
	switch v := value.(type) {
	case types.String:
		s.units += textCost(len(v))
	case types.Bytes:
		s.units += textCost(len(v))
	case *binary:
		s.units += textCost(len(v.Bytes))
	case string:
		s.units += textCost(len(v))
	case json.Number:
		s.units += textCost(len(v))
	case map[string]any:
		return s.members(v)
	case []any:
		return s.elements(v)
	case *types.Optional:
		s.units++
		return s.add(valueOrNull(v))
	case traits.Mapper:
		s.units++
		types.ToFoldableMap(v).Fold(s)
	case traits.Lister:
		s.units++
		types.ToFoldableList(v).Fold(elementsOnly{s})
	default:
		s.units++
	}
	return s.units <= s.limit
}

func (s *scale) members(m map[string]any) bool {
	s.units++
	for name, member := range m {
		if s.units += textCost(len(name)); !s.add(member) {
			return false
		}
	}
	return s.units <= s.limit
}

func (s *scale) elements(list []any) bool {
	s.units++
	for _, element := range list {
		if !s.add(element) {
			return false
		}
	}
	return s.units <= s.limit
}

// FoldEntry implements traits.Folder for maps.
func (s *scale) FoldEntry(key, value any) bool { return s.add(key) && s.add(value) }

// elementsOnly weighs the elements of a list without their indices.
type elementsOnly struct{ *scale }

// FoldEntry implements traits.Folder for lists.
func (s elementsOnly) FoldEntry(_, value any) bool { return s.add(value) }
