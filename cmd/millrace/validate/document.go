package validate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/json"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// document is one document of a file.
type document struct {
	lines    []string       // of the whole file
	root     *yaml.Node     // knows the places of the fields
	object   map[string]any // as kubectl sends it; nil if the text can't be read
	findings []Finding
}

func (d *document) add(line, column int, path, problem string) {
	d.findings = append(d.findings, Finding{line, column, path, plain(problem)})
}

// addAt adds a finding about the field at a place.
func (d *document) addAt(p place, problem string) {
	d.findings = append(d.findings, d.finding(p, problem))
}

func (d *document) finding(p place, problem string) Finding {
	line, column := p.position()
	return Finding{line, column, p.path.String(), plain(problem)}
}

// parse reads a document, and reports whether it is empty.
func (d *document) parse(text string) (empty bool) {
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		d.unreadable(text, err)
		return false
	}
	if len(node.Content) == 0 {
		return true
	}
	d.root = node.Content[0]
	// kubectl reads YAML with this parser, which takes more words for true or false.
	tree, err := k8syaml.YAMLToJSON([]byte(text))
	if err != nil {
		d.unreadable(text, err)
		return false
	}
	if string(tree) == "null" {
		return true
	}
	d.findDuplicates(d.root, nil)
	d.findTags(d.root, nil)
	if err := json.UnmarshalCaseSensitivePreserveInts(tree, &d.object); err != nil {
		d.add(d.root.Line, d.root.Column, "", "this is not a Kubernetes object; write apiVersion, kind, metadata and spec")
	}
	return false
}

// yamlError matches the parsers' errors.
var yamlError = regexp.MustCompile(`(?s)^(?:error converting YAML to JSON: )?yaml: (?:line ([0-9]+): )?(.*)$`)

// yamlProblem returns the line and the text of a parser's error.
func yamlProblem(err error) (line int, problem string) {
	line, problem = 1, err.Error()
	if match := yamlError.FindStringSubmatch(problem); match != nil {
		problem = match[2]
		if number, err := strconv.Atoi(match[1]); err == nil {
			line = max(number, 1)
		}
	}
	return line, problem
}

// unreadable adds a finding about a syntax error in a text.
func (d *document) unreadable(text string, err error) {
	line, problem := yamlProblem(err)
	column := 1
	for i := max(line-2, 0); i < min(line+1, len(d.lines)); i++ {
		content := strings.TrimLeft(d.lines[i], " ")
		if strings.HasPrefix(content, "\t") {
			line, column = i+1, len(d.lines[i])-len(content)+1
			problem = "a tab indents the line; write blanks"
			d.add(line, column, "", "the YAML can't be read: "+problem)
			return
		}
	}
	if at, from, instead, ok := withoutQuotes(text, line); ok {
		line, column, problem = at, from, instead
	}
	d.add(line, column, "", "the YAML can't be read: "+problem)
}

// findDuplicates adds a finding for each field that is there twice.
func (d *document) findDuplicates(node *yaml.Node, p path) {
	switch node.Kind {
	case yaml.MappingNode:
		first := map[string]int{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			child := append(p[:len(p):len(p)], key.Value)
			if line, ok := first[key.Value]; ok {
				d.add(key.Line, key.Column, child.String(), fmt.Sprintf("it is there twice, first in line %d; remove one", line))
			} else {
				first[key.Value] = key.Line
			}
			d.findDuplicates(node.Content[i+1], child)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			d.findDuplicates(item, append(p[:len(p):len(p)], fmt.Sprintf("[%d]", i)))
		}
	}
}

// text returns the text of a field, or "".
func (d *document) text(fields ...string) string {
	text, _, _ := unstructured.NestedString(d.object, fields...)
	return text
}

// isOther reports whether the document is an object that is not Millrace's. It adds a
// finding if the document is most likely meant to be a StreamProcessor.
func (d *document) isOther() bool {
	kind, version := d.text("kind"), d.text("apiVersion")
	group, _, _ := strings.Cut(version, "/")
	ours := group == v1alpha1.GroupVersion.Group
	switch {
	case kind == "" && version == "":
		d.add(d.root.Line, d.root.Column, "", "this is not a Kubernetes object; write apiVersion, kind, metadata and spec")
	case kind == "":
		d.addAt(d.find("kind"), "it is not set; write "+v1alpha1.Kind)
	case kind == v1alpha1.Kind && version != v1alpha1.GroupVersion.String():
		d.addAt(d.find("apiVersion"), notAllowed(version, []string{v1alpha1.GroupVersion.String()}))
	case kind != v1alpha1.Kind && (ours || Nearest(kind, []string{v1alpha1.Kind}) != ""):
		d.addAt(d.find("kind"), notAllowed(kind, []string{v1alpha1.Kind}))
		if version != v1alpha1.GroupVersion.String() {
			d.addAt(d.find("apiVersion"), notAllowed(version, []string{v1alpha1.GroupVersion.String()}))
		} else if Nearest(kind, []string{v1alpha1.Kind}) != "" {
			d.object["kind"] = v1alpha1.Kind // the rest is most likely that of a StreamProcessor
			return false
		}
	default:
		return kind != v1alpha1.Kind
	}
	d.object = nil
	return false
}
