package resources

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// Manager is the operator's name in labels, as the field manager, and as the source of
// events.
const Manager = "millrace-operator"

// The labels of everything that belongs to a StreamProcessor.
const (
	nameLabel      = "app.kubernetes.io/name"
	InstanceLabel  = "app.kubernetes.io/instance"
	ManagedByLabel = "app.kubernetes.io/managed-by"
	componentLabel = "app.kubernetes.io/component"
)

// ConfigLabel is the label of the ConfigMaps with a worker's file and its expressions, and
// of the pods and ReplicaSets that refer to them. Its value is the hash of the file and of
// the pod template.
const ConfigLabel = "millrace.dev/config"

// credentialsHashAnnotation is an annotation of the pod template. It makes the Deployment
// replace the pods when one of their credentials has changed.
const credentialsHashAnnotation = "millrace.dev/credentials-hash"

// Name returns the name of all objects of sp but its ConfigMaps.
func Name(sp *v1alpha1.StreamProcessor) string { return sp.Name + "-worker" }

// ConfigMapName returns the name of the ConfigMap with the file of the pods whose ConfigLabel
// has that value.
func ConfigMapName(sp *v1alpha1.StreamProcessor, configHash string) string {
	return Name(sp) + "-" + configHash
}

// Selector selects the pods of the StreamProcessor with that name.
func Selector(name string) labels.Set {
	return labels.Set{
		nameLabel:      "streamprocessor",
		InstanceLabel:  name,
		componentLabel: "worker",
	}
}

// Managed selects the objects that the operator has made, for all StreamProcessors.
func Managed() labels.Set { return labels.Set{ManagedByLabel: Manager} }

// ownLabels returns the labels of all objects of sp.
func ownLabels(sp *v1alpha1.StreamProcessor) map[string]string {
	return labels.Merge(Selector(sp.Name), Managed())
}

// objectMeta returns the metadata of an object of sp. The owner reference makes the garbage
// collector delete the object together with sp.
func objectMeta(sp *v1alpha1.StreamProcessor) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: Name(sp), Namespace: sp.Namespace, Labels: ownLabels(sp),
		OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(sp, v1alpha1.GroupVersion.WithKind("StreamProcessor")),
		},
	}
}

// ServiceAccountName returns the name of the pods' service account: the operator's, unless
// the template names another.
func ServiceAccountName(sp *v1alpha1.StreamProcessor) string {
	if overlay, err := sp.Spec.Template.PodSpec(); err == nil && overlay.ServiceAccountName != "" {
		return overlay.ServiceAccountName
	}
	return Name(sp)
}
