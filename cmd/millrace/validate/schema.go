package validate

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	budget "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/config/crd"
)

// schema is the CRD's schema in the forms that the API server's packages work with.
type schema struct {
	structural *structural.Structural
	values     validation.SchemaValidator
	rules      *cel.Validator
}

// loadSchema prepares the schema once, since compiling its rules takes a moment.
var loadSchema = sync.OnceValues(func() (*schema, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(crd.StreamProcessors, &definition); err != nil {
		return nil, fmt.Errorf("read the built-in CustomResourceDefinition: %w", err)
	}
	var props apiextensions.JSONSchemaProps
	external := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &props, nil); err != nil {
		return nil, fmt.Errorf("convert the built-in schema: %w", err)
	}
	s := &schema{}
	var err error
	if s.structural, err = structural.NewStructural(&props); err != nil {
		return nil, fmt.Errorf("convert the built-in schema: %w", err)
	}
	if s.values, _, err = validation.NewSchemaValidator(&props); err != nil {
		return nil, fmt.Errorf("convert the built-in schema: %w", err)
	}
	s.rules = cel.NewValidator(s.structural, true, budget.PerCallLimit)
	return s, nil
})

// checkValues returns what the schema says about types, bounds and required fields.
func (s *schema) checkValues(object map[string]any) field.ErrorList {
	return slices.Concat(
		validation.ValidateCustomResource(nil, object, s.values),
		listtype.ValidateListSetsAndMaps(nil, s.structural, object),
	)
}

// checkRules returns what the schema's CEL rules say.
func (s *schema) checkRules(object map[string]any) field.ErrorList {
	errs, _ := s.rules.Validate(context.Background(), nil, s.structural, object, nil, budget.RuntimeCELCostBudget)
	return errs
}

// at returns the schema of the field at a path, or nil if it has none.
func (s *schema) at(p path) *structural.Structural {
	node := s.structural
	for _, step := range p {
		if node = below(node, step); node == nil {
			return nil
		}
	}
	return node
}

func below(node *structural.Structural, step string) *structural.Structural {
	if isItem(step) {
		return node.Items
	}
	if property, ok := node.Properties[step]; ok {
		return &property
	}
	if node.AdditionalProperties != nil {
		return node.AdditionalProperties.Structural
	}
	return nil
}

// ruleOf returns the path of the object that a rule looks at, given the path and the
// message of a finding. ok is false if no rule on the path has this message.
func (s *schema) ruleOf(p path, message string) (object path, ok bool) {
	for length := len(p); length >= 0; length-- {
		node := s.at(p[:length])
		if node != nil && slices.ContainsFunc(node.XValidations, func(r apiextensionsv1.ValidationRule) bool { return r.Message == message }) {
			return p[:length], true
		}
	}
	return nil, false
}
