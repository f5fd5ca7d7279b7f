package resources

import (
	"encoding/json"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// The annotations of a Deployment that say where its pod template comes from.
const (
	templateAnnotation = "millrace.dev/template-hash"
	specAnnotation     = "millrace.dev/spec-hash"
	// GenerationAnnotation holds the generation of the StreamProcessor when the
	// Deployment was last written.
	GenerationAnnotation = "millrace.dev/spec-generation"
)

// Revision says where the pod template of a Deployment comes from. Two Deployments
// with another Template have other pods.
type Revision struct {
	// Template stands for the pod template, "" if nothing is known.
	Template string
	// Spec stands for the part of the StreamProcessor's spec that the template is
	// made of, with its defaults, and Generation is that of the StreamProcessor.
	Spec       string
	Generation int64
	// Credentials stands for the content of the credentials that the pods use.
	Credentials string
}

// RevisionOf reads what markRevision has written.
func RevisionOf(d *appsv1.Deployment) Revision {
	generation, _ := strconv.ParseInt(d.Annotations[GenerationAnnotation], 10, 64) // 0 is that of no object
	return Revision{
		Template: d.Annotations[templateAnnotation],
		Spec:     d.Annotations[specAnnotation], Generation: generation,
		Credentials: d.Spec.Template.Annotations[credentialsHashAnnotation],
	}
}

// ByOperator reports whether the step from r to next comes from the operator itself,
// such as a new worker image or a new template, and not from the StreamProcessor or
// a credential. A new operator may bring new defaults, which change the spec without a
// new generation; and a user may scale a StreamProcessor whose template waits, which
// gives a new generation and the same template.
func (r Revision) ByOperator(next Revision) bool {
	if r.Template == "" {
		return true // an operator that left no notes has made it
	}
	return r.Credentials == next.Credentials && (r.Spec == next.Spec || r.Generation == next.Generation)
}

func markRevision(d *appsv1.Deployment, sp *v1alpha1.StreamProcessor) error {
	template, err := hashOf(d.Spec.Template)
	if err != nil {
		return err
	}
	spec := sp.Spec
	// These are about the number of pods and about the end, not about the template.
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
