package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// jsonNumber matches the texts that are numbers in JSON, too.
var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

// withDigits returns the JSON of a YAML document with the numbers and names as the document
// writes them: the conversion makes doubles of numbers, and cases are about digits, too.
func withDigits(tree []byte, document *yaml.Node) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(tree))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if len(document.Content) > 0 {
		value = written(value, document.Content[0])
	}
	return encoded(value), nil
}

// written returns a value with the numbers and the names of its node.
func written(value any, node *yaml.Node) any {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch v := value.(type) {
	case map[string]any:
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			rename(v, node.Content[i])
			if member, has := v[node.Content[i].Value]; has {
				v[node.Content[i].Value] = written(member, node.Content[i+1])
			}
		}
	case []any:
		for i := 0; node.Kind == yaml.SequenceNode && i < min(len(v), len(node.Content)); i++ {
			v[i] = written(v[i], node.Content[i])
		}
	default:
		switch plain := node.Kind == yaml.ScalarNode && node.Style == 0; {
		case plain && jsonNumber.MatchString(node.Value):
			return json.Number(node.Value)
		case plain && len(node.Value) == 1 && boolWords[node.Value] != "":
			return node.Value
		}
	}
	return value
}

// infinite matches the numbers of YAML that JSON does not have.
var infinite = regexp.MustCompile(`^(?:\.(?:nan|NaN|NAN)|[-+]?\.(?:inf|Inf|INF))$`)

// checkNumbers returns an error for each number below a node that JSON can't write. path is
// the field of the node.
func checkNumbers(path string, node *yaml.Node) error {
	var errs []error
	for i, child := range node.Content {
		switch node.Kind {
		case yaml.DocumentNode:
			errs = append(errs, checkNumbers(path, child))
		case yaml.SequenceNode:
			errs = append(errs, checkNumbers(fmt.Sprintf("%s[%d]", path, i), child))
		case yaml.MappingNode:
			if i%2 == 1 {
				errs = append(errs, checkNumbers(strings.TrimPrefix(path+"."+node.Content[i-1].Value, "."), child))
			}
		}
	}
	if node.Kind == yaml.ScalarNode && node.Style == 0 && infinite.MatchString(node.Value) {
		errs = append(errs, fmt.Errorf("line %d: %s: JSON has no number %s: write null, or %q in quotes for the text", node.Line, path, node.Value, node.Value))
	}
	return errors.Join(errs...)
}

// boolWords are the words that YAML 1.1, which Kubernetes reads, takes for true and false.
var boolWords = map[string]string{
	"y": "true", "Y": "true", "yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "ON": "true",
	"n": "false", "N": "false", "no": "false", "No": "false", "NO": "false", "off": "false", "Off": "false", "OFF": "false",
}

// rename gives a member the name that its key writes: a member n would be called false.
func rename(object map[string]any, key *yaml.Node) {
	as := boolWords[key.Value]
	member, has := object[as]
	if as == "" || !has || key.Style != 0 {
		return
	}
	delete(object, as)
	object[key.Value] = member
}

// equalNumbers compares numbers of JSON by all of their digits.
func equalNumbers(a, b string) bool {
	x, y := decimalOf(a), decimalOf(b)
	return x == y
}

// decimal is a number without the zeros that change nothing: digits times ten to the power
// of exponent. exponent is text where it is too large for any number that is calculated with.
type decimal struct {
	negative         bool
	digits, exponent string
}

func decimalOf(text string) decimal {
	unsigned, negative := strings.CutPrefix(text, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(unsigned), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return decimal{digits: "0"}
	}
	exponent, err := strconv.Atoi(power)
	if err != nil && power != "" {
		return decimal{negative, digits, power}
	}
	exponent -= len(fraction)
	significant := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(significant)
	return decimal{negative, significant, strconv.Itoa(exponent)}
}
