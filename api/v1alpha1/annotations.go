package v1alpha1

// PausedAnnotation pauses the rollouts of a StreamProcessor while its value is "true".
// The pods keep their template and their expressions, whatever changes in the spec, a
// Secret or the operator.
// The number of pods still follows the spec, and suspend stops them.
const PausedAnnotation = "millrace.dev/paused"
