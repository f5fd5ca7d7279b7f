// Package crd holds the generated CustomResourceDefinition. Its tests apply it to a real API
// server: which objects the server refuses, with which messages, and which defaults it sets.
package crd

import _ "embed"

// StreamProcessors is the CustomResourceDefinition of StreamProcessors, in YAML.
//
//go:embed bases/millrace.dev_streamprocessors.yaml
var StreamProcessors []byte
