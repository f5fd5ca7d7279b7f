package validate

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkMetadata checks the object's metadata, of which the CRD has no schema.
func (c *checker) checkMetadata() {
	metadata, ok := c.object["metadata"].(map[string]any)
	if !ok && c.object["metadata"] != nil {
		c.addAt(c.find("metadata"), fmt.Sprintf("%s is %s; write an object with a name", shown(c.object["metadata"]), kindOf(c.object["metadata"])))
		c.lose(path{"metadata"})
		delete(c.object, "metadata")
		return
	}
	c.checkTexts(metadata)
	options := objectmeta.ObjectMetaOptions{DropMalformedFields: true, ReturnUnknownFieldPaths: true}
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(c.object, options)
	if err != nil || !found {
		meta = &metav1.ObjectMeta{}
	}
	for _, name := range unknown {
		p := c.find(name)
		problem, _ := c.schema.unknownProblem(p.path)
		c.addUnknown(p, problem)
	}
	if meta.Namespace == "" {
		meta.Namespace = "default" // as kubectl does
	}
	for _, finding := range validation.ValidateObjectMeta(meta, true, validation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		c.addMetadata(finding)
	}
}

func (c *checker) addMetadata(finding *field.Error) {
	p := c.find(finding.Field)
	if samePlace(c.findings)(p.path) {
		return
	}
	if finding.Field == "metadata.name" {
		if finding.Type != field.ErrorTypeRequired {
			return // a rule of the schema is stricter
		}
		c.lose(p.path)
		c.addAt(p, "it is not set; write the StreamProcessor's name")
		return
	}
	if value, ok := finding.BadValue.(string); ok && finding.Field == "metadata.namespace" {
		c.addAt(p, shown(value)+" is not allowed; write at most 63 lower-case letters, digits and '-', neither beginning nor ending with '-'")
		return
	}
	problem := finding.Detail
	if value, ok := finding.BadValue.(string); ok && value != "" {
		problem = shown(value) + ": " + problem
	}
	c.addAt(p, problem)
}

// checkTexts finds names, labels and annotations that are no texts, such as numbers without
// quotes, and removes them.
func (c *checker) checkTexts(metadata map[string]any) {
	for _, name := range []string{"name", "namespace", "generateName"} {
		c.checkText(metadata, path{"metadata", name})
	}
	for _, name := range []string{"labels", "annotations"} {
		entries, _ := metadata[name].(map[string]any)
		for _, entry := range slices.Sorted(maps.Keys(entries)) {
			c.checkText(entries, path{"metadata", name, entry})
		}
	}
}

func (c *checker) checkText(in map[string]any, p path) {
	name := p[len(p)-1]
	value, ok := in[name]
	if _, isText := value.(string); !ok || isText || value == nil {
		return
	}
	p = c.find(p.String()).path
	c.addAt(c.find(p.String()), fmt.Sprintf("%s is %s; write text, in quotes if it looks like something else", shown(value), kindOf(value)))
	c.lose(p)
	delete(in, name)
}
