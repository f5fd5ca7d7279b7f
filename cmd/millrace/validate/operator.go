package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	k8sjson "sigs.k8s.io/json"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

// checkAsOperator adds what the operator and the workers would say. Of what they say about
// whole objects it leaves out what the API server says too, in other words.
func (c *checker) checkAsOperator() {
	known := slices.Clone(c.findings)
	c.addErrors(c.expressionErrors(), samePlace(known))
	c.addErrors(c.templateErrors(), samePlace(known))
	if len(c.lost) > 0 {
		return // they compare fields with each other, and some are not known
	}
	sp := &v1alpha1.StreamProcessor{}
	if !decode(c.object, sp) {
		return
	}
	sp.Default()
	_, err := resources.WorkerConfig(sp, "")
	c.addErrors(errors.Join(err, resources.CheckForCluster(sp)), sameMatter(known))
}

// decode reports whether a value has the form of into.
func decode(value, into any) bool {
	tree, err := json.Marshal(value)
	return err == nil && k8sjson.UnmarshalCaseSensitivePreserveInts(tree, into) == nil
}

// expressionErrors compiles the expressions.
func (c *checker) expressionErrors() error {
	var processor v1alpha1.ProcessorSpec
	if !decode(valueAt(c.object, path{"spec", "processor"}), &processor) {
		return nil
	}
	expressions := resources.Expressions(processor)
	if expressions == nil {
		return nil
	}
	return cel.Check(*expressions)
}

// templateErrors decodes the pod's template.
func (c *checker) templateErrors() error {
	var template v1alpha1.PodTemplateSpec
	if !decode(valueAt(c.object, path{"spec", "template"}), &template) {
		return nil
	}
	_, err := template.PodSpec()
	return err
}

// samePlace returns a function that reports whether there is a finding with a path.
func samePlace(known []Finding) func(path) bool {
	return func(p path) bool {
		return slices.ContainsFunc(known, func(f Finding) bool { return f.Path == p.String() })
	}
}

// sameMatter returns a function that reports whether there is a finding about the field at a
// path, about a part of it, or about an object that it is a part of.
func sameMatter(known []Finding) func(path) bool {
	return func(p path) bool {
		return slices.ContainsFunc(known, func(f Finding) bool {
			other := stepsOf(f.Path)
			return f.Path == p.String() || p.within(other) || other.within(p)
		})
	}
}

// addErrors adds a finding for each mistake in err, unless known reports that it is known.
func (c *checker) addErrors(err error, known func(path) bool) {
	for _, text := range messages(err) {
		if p, f := c.locate(text); !known(p) {
			f.Problem = c.withNeighbours(f.Problem, p)
			c.findings = append(c.findings, f)
		}
	}
}

// messages returns the messages of the errors that are joined in err.
func messages(err error) (texts []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			texts = append(texts, messages(e)...)
		}
		return texts
	}
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		switch {
		case strings.HasPrefix(line, " | "): // cel-go draws each place below its message
		case len(texts) == 0 || withPlace.MatchString(line):
			texts = append(texts, strings.TrimSpace(line))
		default:
			texts[len(texts)-1] += " " + strings.TrimSpace(line)
		}
	}
	return texts
}

var (
	// withPlace matches a message that begins with a path, and maybe with a line and a column
	// in the text of that field.
	withPlace = regexp.MustCompile(`^((?:spec|metadata|processor)\b.*?)(?::([0-9]+):([0-9]+))?: (.*)`)
	unknown   = regexp.MustCompile(`^unknown field "(.*)"`)
)

// noSuchField is the problem of an unknown field.
const noSuchField = "there is no such field"

// locate returns the path and the place that a message is about. Messages about expressions
// name the field in the worker's configuration, which is below spec in the manifest.
func (d *document) locate(message string) (path, Finding) {
	if match := unknown.FindStringSubmatch(message); match != nil {
		p := d.find(match[1])
		f := d.finding(p, noSuchField)
		if p.key != nil && p.whole {
			f.Line, f.Column = p.key.Line, p.key.Column
		}
		return p.path, f
	}
	match := withPlace.FindStringSubmatch(message)
	if match == nil {
		return nil, Finding{Line: d.root.Line, Column: d.root.Column, Problem: plain(message)}
	}
	field := match[1]
	if strings.HasPrefix(field, "processor.") {
		field = "spec." + field
	}
	p := d.find(field)
	f := d.finding(p, match[4])
	line, err := strconv.Atoi(match[2])
	column, err2 := strconv.Atoi(match[3])
	if p.whole && err == nil && err2 == nil {
		f.Line, f.Column = d.inside(p.value, line, column)
	}
	return p.path, f
}

// withNeighbours says what to write in place of an unknown field.
func (c *checker) withNeighbours(problem string, p path) string {
	if problem != noSuchField || len(p) == 0 {
		return problem
	}
	better, _ := c.schema.unknownProblem(p)
	return better
}

// Locate returns the findings of an error about the manifest in text, such as one of an
// expression that has failed on a record.
func Locate(text []byte, err error) []Finding {
	d := &document{lines: strings.Split(string(text), "\n")}
	if empty := d.parse(string(text)); empty || d.root == nil {
		return []Finding{{Line: 1, Column: 1, Problem: fmt.Sprint(err)}}
	}
	d.findings = nil
	for _, message := range messages(err) {
		_, f := d.locate(message)
		d.findings = append(d.findings, f)
	}
	return d.findings
}
