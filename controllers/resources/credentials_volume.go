package resources

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

const credentialsVolumeName = "millrace-credentials"

// credentialsVolume returns a volume with a file for each credential and token of sp, nil if
// there are none. It contains only the keys that sp refers to, although a Secret may hold
// more.
func credentialsVolume(sp *v1alpha1.StreamProcessor) *corev1.Volume {
	found, tokens := Credentials(sp)
	var sources []corev1.VolumeProjection
	for _, object := range byObject(found) {
		sources = append(sources, projection(object))
	}
	for _, token := range tokens {
		sources = append(sources, corev1.VolumeProjection{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
			Audience: token.Audience, ExpirationSeconds: &token.ExpirationSeconds, Path: token.file,
		}})
	}
	if len(sources) == 0 {
		return nil
	}
	return &corev1.Volume{Name: credentialsVolumeName, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: sources},
	}}
}

// byObject groups the credentials by object, each key once.
func byObject(list []Credential) [][]Credential {
	type object struct{ kind, name string }
	var grouped [][]Credential
	place, seen := map[object]int{}, map[string]bool{}
	for _, c := range list {
		if seen[c.file()] {
			continue
		}
		seen[c.file()] = true
		of := object{c.Kind, c.Name}
		at, known := place[of]
		if !known {
			at = len(grouped)
			place[of], grouped = at, append(grouped, nil)
		}
		grouped[at] = append(grouped[at], c)
	}
	return grouped
}

// projection projects the keys of one object, which all of list belong to.
func projection(list []Credential) corev1.VolumeProjection {
	var items []corev1.KeyToPath
	for _, c := range list {
		items = append(items, corev1.KeyToPath{Key: c.Key, Path: c.file()})
	}
	object := corev1.LocalObjectReference{Name: list[0].Name}
	if list[0].Kind == ConfigMapKind {
		return corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: object, Items: items}}
	}
	return corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: object, Items: items}}
}
