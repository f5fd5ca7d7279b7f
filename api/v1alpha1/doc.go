// Package v1alpha1 defines the StreamProcessor as users write it: its fields, their
// defaults and bounds, and strict decoding. It comes before the data path:
// controllers/resources translates it into the configuration that a worker reads.
//
// +kubebuilder:object:generate=true
// +groupName=millrace.dev
package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 object paths=.
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 crd paths=. output:crd:dir=../../config/crd/bases
//go:generate go run ../../hack/crd ../../config/crd/bases/millrace.dev_streamprocessors.yaml
