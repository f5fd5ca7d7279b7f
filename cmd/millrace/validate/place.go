package validate

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// path leads to a field: names, and items such as [0].
type path []string

func (p path) String() string {
	var text strings.Builder
	for i, step := range p {
		if i > 0 && !isItem(step) {
			text.WriteByte('.')
		}
		text.WriteString(step)
	}
	return text.String()
}

// within reports whether p is at or below parent.
func (p path) within(parent path) bool {
	if len(p) < len(parent) {
		return false
	}
	for i, step := range parent {
		if p[i] != step {
			return false
		}
	}
	return true
}

var item = regexp.MustCompile(`^\[([0-9]+)\]`)

func isItem(step string) bool { return item.MatchString(step) }

// place is where a path leads in a document.
type place struct {
	path  path
	key   *yaml.Node // nil for the root and for items
	value *yaml.Node // the deepest one there is on the path
	whole bool       // the document has the whole path
}

// find follows a path such as spec.kafka.bootstrapServers[0]. Since names may contain dots
// and brackets, it takes the names that the document has.
func (d *document) find(text string) place {
	p := place{value: d.root, whole: true}
	for rest := text; rest != ""; {
		step, key, value, left := follow(p.value, rest)
		if value == nil {
			p.path, p.whole = append(p.path, stepsOf(rest)...), false
			return p
		}
		p.path, p.key, p.value, rest = append(p.path, step), key, value, left
	}
	return p
}

// follow returns the first step of a path below node, and the rest of the path. The value
// is nil if node has no such part.
func follow(node *yaml.Node, rest string) (step string, key, value *yaml.Node, left string) {
	node = dereferenced(node)
	switch node.Kind {
	case yaml.MappingNode:
		rest = strings.TrimPrefix(rest, ".")
		for k, v := range members(node) {
			if l, ok := cutName(rest, k.Value); ok && len(k.Value) > len(step) {
				step, key, value, left = k.Value, k, v, l
			}
		}
	case yaml.SequenceNode:
		match := item.FindStringSubmatch(rest)
		if match == nil {
			return "", nil, nil, ""
		}
		if i, err := strconv.Atoi(match[1]); err == nil && i < len(node.Content) {
			return match[0], nil, node.Content[i], rest[len(match[0]):]
		}
	}
	return step, key, value, left
}

// cutName cuts a name, or a name in brackets, from the beginning of a path.
func cutName(path, name string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "["+name+"]"); ok {
		return rest, true
	}
	rest, ok = strings.CutPrefix(path, name)
	return rest, ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

var steps = regexp.MustCompile(`\[[0-9]+\]|[^.\[\]]+`)

func stepsOf(text string) path { return steps.FindAllString(text, -1) }

// members calls yield for the keys and values of a mapping, and those that it takes over
// from others with <<.
func members(node *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		var merged []*yaml.Node
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			switch {
			case key.Tag != "!!merge":
				if !yield(key, value) {
					return
				}
			case dereferenced(value).Kind == yaml.SequenceNode:
				merged = append(merged, dereferenced(value).Content...)
			default:
				merged = append(merged, value)
			}
		}
		for _, m := range merged {
			if m = dereferenced(m); m.Kind != yaml.MappingNode {
				continue
			}
			for i := 0; i+1 < len(m.Content); i += 2 {
				if !yield(m.Content[i], m.Content[i+1]) {
					return
				}
			}
		}
	}
}

func dereferenced(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// position returns the line and column to show for a place: those of a scalar, and those
// of the key for everything else.
func (p place) position() (line, column int) {
	node := p.value
	visible := node.Kind == yaml.AliasNode || node.Kind == yaml.ScalarNode && (node.Value != "" || node.Style != 0)
	if p.key != nil && !(p.whole && visible) {
		node = p.key
	}
	return max(node.Line, 1), max(node.Column, 1)
}
