package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

// TestNamesExist checks that each name with a dot in the documents is a field of the
// CRD, or the end of one's path, or a value of the chart.
func TestNamesExist(t *testing.T) {
	fields := fieldsOfTheCRD(t)
	var values map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "../config/chart/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	others := []string{
		"offsets.retention.minutes", "offset.metadata.max.bytes", "broker.session.timeout.ms", "transaction.version",
		"checksums.txt", "checksums.txt.sigstore.json",
		"application.id", "num.stream.threads", "commit.interval.ms", // of Kafka Streams, like the next ones
		"default.deserialization.exception.handler", "production.exception.handler",
		"cel.bind", "orders.jsonl", "record.deadline",
		// Columns of CSV.
		"kafka.key", "kafka.timestamp", "kafka.partition", "kafka.headers", "kafka.value", "kafka.topic", "kafka.offset",
	}
	for _, document := range documents {
		prose := page.Prose(read(t, document))
		for _, name := range dotted.FindAllStringSubmatch(prose, -1) {
			if !slices.Contains(others, name[1]) && !strings.HasSuffix(name[1], ".yaml") && !fields.has(name[1]) && !isValue(values, name[1]) {
				t.Errorf("%s: there is no %s", document, name[1])
			}
		}
	}
}

// TestEveryFieldIsExplained checks that the table of fields has a line for each field of
// the spec, and names no unknown field.
func TestEveryFieldIsExplained(t *testing.T) {
	fields := fieldsOfTheCRD(t)
	rows := regexp.MustCompile("(?m)^\\| `([a-zA-Z.]+)` \\| (.*) \\|$").FindAllStringSubmatch(afterwards(t, "manifest.md", "| field | what it says"), -1)
	explained := map[string]bool{}
	for _, row := range rows {
		name := "spec." + row[1]
		explained[name] = true
		if !fields[name] {
			t.Errorf("there is no %s", name)
		}
		for _, word := range regexp.MustCompile("`([a-z][a-zA-Z]*)`").FindAllStringSubmatch(row[2], -1) {
			if !fields["spec."+word[1]] && !fields.below(name, word[1]) {
				t.Errorf("%s has no %s", name, word[1])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if strings.Count(name, ".") == 1 && strings.HasPrefix(name, "spec.") && !explained[name] {
			t.Errorf("manifest.md has no %s", name)
		}
	}
}

// TestEveryConditionIsExplained checks that the table of conditions lists all their types.
func TestEveryConditionIsExplained(t *testing.T) {
	types, _, _ := strings.Cut(read(t, "../controllers/status/conditions.go"), "\n)\n")
	there := names(types, `(?m)^\t[A-Za-z]+ = "([A-Za-z]+)"$`)
	explained := names(afterwards(t, "status.md", "| condition | when it is there"), "(?m)^\\| `([A-Za-z]+)` \\|")
	if len(there) == 0 || !slices.Equal(explained, there) {
		t.Errorf("status.md explains the conditions %q; there are %q", explained, there)
	}
}

// names returns the matches of a pattern's group, sorted.
func names(text, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return found
}

// afterwards returns a document's table that begins with a line.
func afterwards(t *testing.T, document, line string) string {
	t.Helper()
	_, table, found := strings.Cut(read(t, document), "\n"+line)
	if !found {
		t.Fatalf("%s has no table %q", document, line)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	return table
}

var dotted = regexp.MustCompile("`([a-z][a-zA-Z]*(?:\\.[a-z][a-zA-Z]*)+)(?:: [^`]*| \\{[^`]*)?`")

// fields are the paths of a StreamProcessor's fields; those of a list's items are
// the list's.
type fields map[string]bool

func fieldsOfTheCRD(t *testing.T) fields {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal([]byte(read(t, "../config/crd/bases/millrace.dev_streamprocessors.yaml")), crd); err != nil {
		t.Fatal(err)
	}
	found := fields{}
	found.collect("", crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
	return found
}

func (f fields) collect(path string, schema *apiextensionsv1.JSONSchemaProps) {
	if path != "" {
		f[path] = true
	}
	if schema.Items != nil {
		f.collect(path, schema.Items.Schema)
	}
	for name := range schema.Properties {
		f.collect(strings.TrimPrefix(path+"."+name, "."), new(schema.Properties[name]))
	}
}

// has reports whether a path or the end of one is name. The fields below
// template.spec are Kubernetes'.
func (f fields) has(name string) bool {
	if before, _, found := strings.Cut(name, "template.spec."); found {
		return before == "" || before == "spec."
	}
	for path := range f {
		if path == name || strings.HasSuffix(path, "."+name) {
			return true
		}
	}
	return false
}

// below reports whether a field of this name is somewhere below a path.
func (f fields) below(path, name string) bool {
	for field := range f {
		if strings.HasPrefix(field, path+".") && strings.HasSuffix(field, "."+name) {
			return true
		}
	}
	return false
}

func isValue(values map[string]any, name string) bool {
	first, rest, deeper := strings.Cut(name, ".")
	value, found := values[first]
	if below, ok := value.(map[string]any); deeper {
		return ok && isValue(below, rest)
	}
	return found
}
