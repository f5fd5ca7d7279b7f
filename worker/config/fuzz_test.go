package config

import (
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

// FuzzParse checks that no input makes Parse or Validate panic, and that a valid
// configuration stays the same when it is written and read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		least, full, fuller, "", "{}", "null", "---\n", "- 1", "name: {}", "'", "a: &a [*a]", "name: \"\\xff\\u2028\"",
		`{"name":"x","kafka":{"bootstrapServers":["a:1"]},"input":{"topic":"a"},"output":{"topic":"b"}}`,
		least + "inFlight: {bytes: 1024000, records: 1e3}\nprocessor: {cel: {headers: {}}}",
		least + "processor: {cel: {value: \"a\\n---\\nb: '\\\"%'\", headers: {'': x, \"1\": y}}}",
		least + "telemetry: {listen: }\nfailure: {timeout: 1h2m3.004s, deadLetter: {topic: d}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, _, err := Parse(content)
		if err != nil || c.Validate() != nil {
			return
		}
		written, err := yaml.Marshal(c)
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		again, unknown, err := Parse(written)
		if err != nil || len(unknown) > 0 {
			t.Fatalf("read back: %v, unknown %q\n%s", err, unknown, written)
		}
		if !reflect.DeepEqual(again, c) {
			t.Errorf("read back\n%+v\nwant\n%+v\nwritten as\n%s", again, c, written)
		}
	})
}
