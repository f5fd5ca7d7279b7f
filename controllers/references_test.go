package controllers

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestReferencesAreCachedByNameOnly: the cache must not hold kubectl's annotation with the
// content of a Secret.
func TestReferencesAreCachedByNameOnly(t *testing.T) {
	secret := metadataOf("Secret")
	secret.ObjectMeta = metav1.ObjectMeta{
		Name: "user", Namespace: "shop", UID: "1", ResourceVersion: "2",
		Annotations:   map[string]string{"kubectl.kubernetes.io/last-applied-configuration": `{"data": {"password": "cA=="}}`},
		Labels:        map[string]string{"a": "b"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}
	want := metadataOf("Secret")
	want.ObjectMeta = metav1.ObjectMeta{Name: "user", Namespace: "shop", UID: "1", ResourceVersion: "2"}
	if got, err := onlyIdentity(secret); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("cached is %+v, %v; want %+v", got, err, want)
	}
}
