package validate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// valueProblem says in plain words what the schema says about a value. The API server's own
// words name Go types, and regular expressions.
func valueProblem(found *field.Error, at *structural.Structural, value any) string {
	switch {
	case found.Type == field.ErrorTypeRequired:
		return "it is not set; write " + wanted(at)
	case found.Type == field.ErrorTypeDuplicate:
		return "an item is there twice; remove one"
	case at == nil || at.ValueValidation == nil && found.Type != field.ErrorTypeTypeInvalid:
		return plain(found.Detail)
	case found.Type == field.ErrorTypeTypeInvalid && at.Type == "integer" && isWhole(value):
		return shown(value) + " is out of bounds; write a smaller number"
	case found.Type == field.ErrorTypeTypeInvalid && wanted(at) == "text":
		return fmt.Sprintf("%s is %s; write text, in quotes if it looks like something else", shown(value), kindOf(value))
	case found.Type == field.ErrorTypeTypeInvalid:
		return fmt.Sprintf("%s is %s; write %s", shown(value), kindOf(value), wanted(at))
	case found.Type == field.ErrorTypeNotSupported:
		return notAllowed(value, allowed(at))
	case at.XIntOrString:
		return fmt.Sprintf("%s is not allowed; write %s", shown(value), wanted(at))
	case at.ValueValidation.Minimum != nil || at.ValueValidation.Maximum != nil:
		return fmt.Sprintf("%s is out of bounds; write %s", shown(value), wanted(at))
	default:
		return sizeProblem(found, at.ValueValidation, value)
	}
}

func isWhole(value any) bool {
	_, ok := value.(int64)
	return ok
}

func notAllowed(value any, options []string) string {
	text := shown(value) + " is not allowed; "
	if meant, ok := value.(string); ok && len(options) > 1 {
		if meant = Nearest(meant, options); meant != "" {
			text += fmt.Sprintf("did you mean %s? ", meant)
		}
	}
	return text + "write " + list(options, "or")
}

// sizeProblem is about texts, lists and objects that are too long or too short.
func sizeProblem(found *field.Error, v *structural.ValueValidation, value any) string {
	switch value := value.(type) {
	case string:
		if v.MaxLength != nil && found.Type == field.ErrorTypeTooLong {
			return fmt.Sprintf("it has more than %d characters; shorten it", *v.MaxLength)
		}
		if value == "" {
			return "it is empty; write something, or remove the field"
		}
		return shown(value) + " is not allowed here"
	case []any:
		if v.MaxItems != nil && int64(len(value)) > *v.MaxItems {
			return fmt.Sprintf("it has %d items; write at most %d", len(value), *v.MaxItems)
		}
		return "it has too few items; write at least one"
	case map[string]any:
		if v.MaxProperties != nil && int64(len(value)) > *v.MaxProperties {
			return fmt.Sprintf("it has %d entries; write at most %d", len(value), *v.MaxProperties)
		}
	}
	return plain(found.Detail)
}

// ruleProblem shows the value before a rule's message that is about nothing else.
func ruleProblem(message string, value any) string {
	what, ok := strings.CutPrefix(message, "must be ")
	switch value.(type) {
	case nil, map[string]any, []any:
		ok = false
	}
	if !ok {
		return message
	}
	return shown(value) + " is not allowed; write " + what
}

// wanted says what to write into a field.
func wanted(at *structural.Structural) string {
	if at == nil {
		return "a value"
	}
	for _, rule := range at.XValidations {
		if what, ok := strings.CutPrefix(rule.Message, "must be "); ok {
			return what
		}
	}
	switch {
	case len(allowed(at)) > 0:
		return list(allowed(at), "or")
	case at.XIntOrString:
		return aQuantity
	case at.Type == "integer":
		return "a whole number" + bounds(at.ValueValidation)
	case at.Type == "number":
		return "a number" + bounds(at.ValueValidation)
	case at.Type == "boolean":
		return "true or false"
	case at.Type == "array":
		return "a list"
	case at.Type == "object" && len(at.Properties) > 0:
		return "an object with fields such as " + list(firstOf(at), "and")
	case at.Type == "object":
		return "an object with fields"
	default:
		return "text"
	}
}

const aQuantity = "a number, alone or with a unit, such as 500m or 64Mi"

// firstOf returns the fields that an object needs, or else its first ones.
func firstOf(at *structural.Structural) []string {
	const most = 3
	if at.ValueValidation != nil && len(at.ValueValidation.Required) > 0 {
		return at.ValueValidation.Required
	}
	names := namesOf(at)
	return names[:min(most, len(names))]
}

func bounds(v *structural.ValueValidation) string {
	switch {
	case v == nil || v.Minimum == nil && v.Maximum == nil:
		return ""
	case v.Maximum == nil:
		return fmt.Sprintf(" of at least %.0f", *v.Minimum)
	case v.Minimum == nil:
		return fmt.Sprintf(" of at most %.0f", *v.Maximum)
	default:
		return fmt.Sprintf(" from %.0f to %.0f", *v.Minimum, *v.Maximum)
	}
}

// allowed returns the values of an enumeration.
func allowed(at *structural.Structural) (values []string) {
	if at.ValueValidation == nil {
		return nil
	}
	for _, value := range at.ValueValidation.Enum {
		values = append(values, fmt.Sprint(value.Object))
	}
	return values
}

// list joins words as in a sentence.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], ", ") + " " + last + " " + words[end]
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "no value"
	case string:
		return "text"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return "a number"
	}
}

// shown returns a value as JSON, cut if it is long.
func shown(value any) string {
	const most = 60
	text, err := json.Marshal(value)
	if err != nil {
		return "the value"
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return string(text)
}

// technical are parts of messages that help nobody, and what to say instead.
var technical = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`,? ?regex used for validation is '[^']*'`), ""},
	{regexp.MustCompile(`quantities must match the regular expression '[^']*'|unable to parse quantity's suffix|unable to parse numeric part of quantity`), "it is not a quantity; write " + aQuantity},
	{regexp.MustCompile(`: json: (cannot unmarshal|invalid|unknown) .*$`), ""},
	{regexp.MustCompile(`\s*\n\s*`), " "},
}

// plain removes Go's types, regular expressions and line breaks from a message.
func plain(message string) string {
	for _, t := range technical {
		message = t.pattern.ReplaceAllString(message, t.instead)
	}
	return message
}

// namesOf returns the names of an object's fields.
func namesOf(at *structural.Structural) (names []string) {
	for name := range at.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
