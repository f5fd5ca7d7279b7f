package v1alpha1

// PausedAnnotation holds the rollouts of a StreamProcessor while it is "true": its
// pods keep the template that they have, whatever changes in the spec, a Secret or
// the operator. Their number still follows the spec, and suspend stops them.
const PausedAnnotation = "millrace.dev/paused"
