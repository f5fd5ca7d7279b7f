package crd

import (
	"testing"
)

// Change is a change of a valid manifest that a rule of the CRD refuses.
type Change struct {
	Field, Says string // of the refusal; Says is the beginning of its message
	Manifest    string
}

// Refused returns all changes of the tables that rules refuse.
func Refused(t *testing.T) (changes []Change) {
	t.Helper()
	for _, rule := range allRules(t) {
		for _, change := range rule.refuse {
			changes = append(changes, Change{rule.field, rule.says, asYAML(t, parse(t, least, change).Object)})
		}
	}
	return changes
}

// Accepted returns the manifests of all changes of the tables that rules accept.
func Accepted(t *testing.T) (manifests []string) {
	t.Helper()
	for _, rule := range allRules(t) {
		for _, change := range rule.accept {
			manifests = append(manifests, asYAML(t, parse(t, least, change).Object))
		}
	}
	return manifests
}
