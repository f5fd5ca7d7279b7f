package resources

import (
	"encoding/json"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// The annotations of a Deployment that identify the origin of its pod template.
const (
	templateAnnotation = "millrace.dev/template-hash"
	specAnnotation     = "millrace.dev/spec-hash"
	// GenerationAnnotation holds the generation of the StreamProcessor when the
	// Deployment was last written.
	GenerationAnnotation = "millrace.dev/spec-generation"
)

// Revision identifies the origin of the pod template of a Deployment. A change of Template
// replaces the pods.
type Revision struct {
	// Template is the hash of the pod template, "" if it is unknown.
	Template string
	// Spec is the hash of the part of the StreamProcessor's spec that the template is
	// made of, with defaults. Generation is that of the StreamProcessor.
	Spec       string
	Generation int64
	// Credentials is the hash of the contents of the pods' credentials.
	Credentials string
}

// RevisionOf reads the annotations that markRevision writes.
func RevisionOf(d *appsv1.Deployment) Revision {
	generation, _ := strconv.ParseInt(d.Annotations[GenerationAnnotation], 10, 64) // no object has generation 0
	return Revision{
		Template: d.Annotations[templateAnnotation],
		Spec:     d.Annotations[specAnnotation], Generation: generation,
		Credentials: d.Spec.Template.Annotations[credentialsHashAnnotation],
	}
}

// ByOperator reports whether the operator itself caused the change from r to next, for
// example by a new worker image, and not a user by a change of the StreamProcessor or of a
// credential. A new operator may have new defaults, which change the spec without a new
// generation. And a user may scale a StreamProcessor whose template waits, which gives a
// new generation and the same template.
func (r Revision) ByOperator(next Revision) bool {
	if r.Template == "" {
		return true // an earlier version of the operator, which wrote no annotations
	}
	return r.Credentials == next.Credentials && (r.Spec == next.Spec || r.Generation == next.Generation)
}

func markRevision(d *appsv1.Deployment, sp *v1alpha1.StreamProcessor) error {
	template, err := hashOf(d.Spec.Template)
	if err != nil {
		return err
	}
	spec := sp.Spec
	// These fields do not affect the template.
	spec.Replicas, spec.Autoscaling, spec.Suspend, spec.DeletionPolicy = nil, nil, false, ""
	chosen, err := hashOf(spec)
	if err != nil {
		return err
	}
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[templateAnnotation] = template
	d.Annotations[specAnnotation] = chosen
	d.Annotations[GenerationAnnotation] = strconv.FormatInt(sp.Generation, 10)
	return nil
}

func hashOf(value any) (string, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write %T: %w", value, err)
	}
	return hash(content), nil
}
