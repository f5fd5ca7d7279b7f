package resources

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestAnyTextReachesTheWorkers: a worker reads exactly the expressions of the spec, whatever
// they mean in YAML.
func TestAnyTextReachesTheWorkers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		" ", "\n", "\t", "\r", "a", "é", "😀", "0", "1e3", "null", "true", "y", "~", "---", "...", "...\n", "\n---\n", "? ", ": ", ":", "#", " #", "- ", "-",
		"'", `"`, `\`, "|", ">", "%", "&", "*", "!", "@", "`", "{", "}", "[", "]", ",", "=", "<<", "2001-01-01", "0x1F",
		"\x00", "\x07", "\x1b", "\x7f", "\u0080", "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", "\ufffd", "\ufffe", "\uffff",
	}
	text := func() string {
		var all string
		for range random.IntN(6) {
			all += pieces[random.IntN(len(pieces))]
		}
		return all
	}
	for range 5_000 {
		sp := &v1alpha1.StreamProcessor{}
		sp.Spec.Processor.CEL = &v1alpha1.CELSpec{Filter: text(), Value: text(), Headers: map[string]string{text(): text(), "b" + text(): text()}}
		content, err := expressionsContent(sp)
		if err != nil {
			t.Fatalf("%+q: %v", sp.Spec.Processor.CEL, err)
		}
		if got, err := config.ParseExpressions(content); err != nil || !reflect.DeepEqual(got, Expressions(sp.Spec.Processor)) {
			t.Fatalf("%+q is written as\n%s\nand read as %+q (%v)", sp.Spec.Processor.CEL, content, got, err)
		}
	}
}
