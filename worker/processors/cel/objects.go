package cel

import (
	"fmt"
	"maps"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

var objectType = celgo.MapType(celgo.StringType, celgo.DynType)

// objectFunctions declares the functions that change objects. They return new ones, which
// the checker takes for any value, as it does json: a condition may choose between one of
// them and null.
func objectFunctions() []celgo.EnvOption {
	texts := celgo.ListType(celgo.StringType)
	return []celgo.EnvOption{
		declare("merge", member("object_merge", celgo.DynType, objectType, objectType)),
		declare("with", member("object_with", celgo.DynType, objectType, celgo.StringType, celgo.DynType)),
		declare("without", member("object_without", celgo.DynType, objectType, celgo.StringType),
			member("object_without_list", celgo.DynType, objectType, texts)),
		declare("only", member("object_only", celgo.DynType, objectType, texts)),
	}
}

// object is a map whose members are values of CEL or values of parsed JSON. The latter
// stay as they are, so that their numbers keep their digits.
type object struct {
	traits.Mapper
	members map[string]any
}

func newObject(members map[string]any) *object {
	return &object{types.NewStringInterfaceMap(adapter{}, members), members}
}

// membersOf returns the members of a map whose keys are texts. The caller must not
// change them.
func membersOf(value any) (map[string]any, bool) {
	switch v := value.(type) {
	case map[string]any:
		return v, true
	case *object:
		return v.members, true
	case traits.Mapper:
		if parsed, ok := v.Value().(map[string]any); ok {
			return parsed, true
		}
		members := make(map[string]any)
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			name, ok := key.(types.String)
			if !ok {
				return nil, false
			}
			members[string(name)] = v.Get(key)
		}
		return members, true
	default:
		return nil, false
	}
}

// elementsOf returns a list, from parsed JSON too.
func elementsOf(value any) (traits.Lister, bool) {
	switch v := value.(type) {
	case []any:
		return types.NewList(adapter{}, v), true
	case traits.Lister:
		return v, true
	default:
		return nil, false
	}
}

// objectCost is what a new object costs besides its members: as much as cel-go charges for
// one that an expression writes out, so that the limit bounds the memory too.
const objectCost = 30

// copied returns a copy of members, which it charges for.
func copied(m meter, members map[string]any) map[string]any {
	m.charge(objectCost + uint64(len(members)))
	return maps.Clone(members)
}

// merge returns an object with the members of both. Objects that both have under one
// name are merged too.
func merge(m meter, args []ref.Val) ref.Val {
	into, ok := membersOf(args[0])
	from, both := membersOf(args[1])
	if !ok || !both {
		return mismatched()
	}
	return merged(m, into, from)
}

func merged(m meter, into, from map[string]any) *object {
	m.charge(uint64(len(from)))
	result := copied(m, into)
	if result == nil {
		result = map[string]any{}
	}
	for name, value := range from {
		lower, ok := membersOf(result[name])
		upper, both := membersOf(value)
		if ok && both {
			value = merged(m, lower, upper)
		}
		result[name] = value
	}
	return newObject(result)
}

// pathOf splits the path of a member at its dots. A backslash makes a dot part of a
// name.
func pathOf(text string) []string {
	var path []string
	var name strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
			name.WriteByte(text[i])
		case text[i] == '.':
			path = append(path, name.String())
			name.Reset()
		default:
			name.WriteByte(text[i])
		}
	}
	return append(path, name.String())
}

// eachElement returns a list with f's result for each element.
func eachElement(m meter, list traits.Lister, f func(any) (any, error)) (any, error) {
	elements := make([]ref.Val, 0, sizeOf(list))
	for it := list.Iterator(); it.HasNext() == types.True; {
		m.charge(1)
		element, err := f(it.Next())
		if err != nil {
			return nil, err
		}
		elements = append(elements, adapter{}.NativeToValue(element))
	}
	return types.NewRefValList(adapter{}, elements), nil
}

// with returns an object with one member set. Objects on the way to it that are missing
// are added; in a list on the way, the member is set in each element.
func with(m meter, args []ref.Val) ref.Val {
	path, ok := args[1].(types.String)
	if _, isObject := membersOf(args[0]); !ok || !isObject {
		return mismatched()
	}
	m.charge(textCost(len(path)))
	result, err := set(m, args[0], pathOf(string(path)), args[2])
	if err != nil {
		return types.WrapErr(err)
	}
	return result.(ref.Val)
}

func set(m meter, value any, path []string, to ref.Val) (any, error) {
	if len(path) == 0 {
		return to, nil
	}
	if list, ok := elementsOf(value); ok {
		return eachElement(m, list, func(element any) (any, error) { return set(m, element, path, to) })
	}
	members, ok := membersOf(value)
	if !ok && value != nil && value != types.NullValue {
		return nil, fmt.Errorf("with: can't set %q in %s, which has no fields", path[0], withArticle(adapter{}.NativeToValue(value)))
	}
	result := copied(m, members)
	if result == nil {
		result = map[string]any{}
	}
	below, err := set(m, result[path[0]], path[1:], to)
	if err != nil {
		return nil, err
	}
	result[path[0]] = below
	return newObject(result), nil
}

// textsOf returns a text, or the texts of a list.
func textsOf(v ref.Val) ([]string, bool) {
	if text, ok := v.(types.String); ok {
		return []string{string(text)}, true
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return nil, false
	}
	texts := make([]string, 0, sizeOf(list))
	for it := list.Iterator(); it.HasNext() == types.True; {
		text, ok := it.Next().(types.String)
		if !ok {
			return nil, false
		}
		texts = append(texts, string(text))
	}
	return texts, true
}

// without returns an object without the members at some paths. A path through a list is
// that of each of its elements.
func without(m meter, args []ref.Val) ref.Val {
	paths, ok := textsOf(args[1])
	if _, isObject := membersOf(args[0]); !ok || !isObject {
		return mismatched()
	}
	m.charge(m.weigh(args[1]))
	value := any(args[0])
	for _, path := range paths {
		value = removed(m, value, pathOf(path))
	}
	return value.(ref.Val)
}

// removed returns a value without the member at a path, or the value itself if there is
// no such member.
func removed(m meter, value any, path []string) any {
	if list, ok := elementsOf(value); ok {
		result, _ := eachElement(m, list, func(element any) (any, error) { return removed(m, element, path), nil })
		return result
	}
	members, ok := membersOf(value)
	if !ok {
		return value
	}
	below, ok := members[path[0]]
	if !ok {
		return value
	}
	result := copied(m, members)
	if len(path) == 1 {
		delete(result, path[0])
	} else {
		result[path[0]] = removed(m, below, path[1:])
	}
	return newObject(result)
}

// branch is a set of members to keep, each whole if it has no branches.
type branch map[string]branch

func (b branch) add(path []string) {
	below, ok := b[path[0]]
	switch {
	case ok && len(below) == 0: // it is kept whole
	case len(path) == 1:
		b[path[0]] = branch{}
	default:
		if !ok {
			below = branch{}
			b[path[0]] = below
		}
		below.add(path[1:])
	}
}

// only returns an object with just the members at some paths, those that it has.
func only(m meter, args []ref.Val) ref.Val {
	paths, ok := textsOf(args[1])
	if _, isObject := membersOf(args[0]); !ok || !isObject {
		return mismatched()
	}
	m.charge(m.weigh(args[1]))
	wanted := branch{}
	for _, path := range paths {
		wanted.add(pathOf(path))
	}
	result, _ := kept(m, args[0], wanted)
	return result.(ref.Val)
}

// kept returns what a value has of the wanted members. It returns false for a value that
// can't have any.
func kept(m meter, value any, wanted branch) (any, bool) {
	if list, ok := elementsOf(value); ok {
		result, _ := eachElement(m, list, func(element any) (any, error) {
			part, _ := kept(m, element, wanted)
			return part, nil
		})
		return result, true
	}
	members, ok := membersOf(value)
	if !ok {
		return types.NullValue, false
	}
	m.charge(uint64(len(wanted)))
	result := map[string]any{}
	for name, below := range wanted {
		part, has := members[name]
		if has && len(below) > 0 {
			part, has = kept(m, part, below)
		}
		if has {
			result[name] = part
		}
	}
	return newObject(result), true
}
