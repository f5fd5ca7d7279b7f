package resources

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// Where things are in a pod.
const (
	configDir  = "/etc/millrace"
	secretsDir = "/etc/millrace-secrets"
	stateDir   = "/etc/millrace-state"
	tmpDir     = "/tmp"
)

var mountedCredentials = CredentialPaths{
	CA: secretsDir + "/ca", ClientCert: secretsDir + "/cert", SASL: secretsDir + "/sasl",
}

// SecretUse is a Secret that pods mount.
type SecretUse struct {
	// Name is the Secret's, Keys what it must have.
	Name string
	Keys []string
	// Field is where the spec refers to it.
	Field string

	volume, path string
}

// Secrets lists the Secrets that sp refers to.
func Secrets(sp *v1alpha1.StreamProcessor) []SecretUse {
	var uses []SecretUse
	if tls := sp.Spec.Kafka.TLS; tls != nil {
		if ref := tls.CASecretRef; ref != nil {
			uses = append(uses, SecretUse{ref.Name, []string{ref.Key}, "spec.kafka.tls.caSecretRef", "millrace-ca", mountedCredentials.CA})
		}
		if ref := tls.CertSecretRef; ref != nil {
			uses = append(uses, SecretUse{ref.Name, []string{certKey, privateKeyKey}, "spec.kafka.tls.certSecretRef", "millrace-cert", mountedCredentials.ClientCert})
		}
	}
	if sasl := sp.Spec.Kafka.SASL; sasl != nil {
		uses = append(uses, SecretUse{sasl.SecretRef.Name, []string{usernameKey, passwordKey}, "spec.kafka.sasl.secretRef", "millrace-sasl", mountedCredentials.SASL})
	}
	return uses
}

func volumes(sp *v1alpha1.StreamProcessor, overlay *corev1.PodSpec, configHash string) []corev1.Volume {
	list := []corev1.Volume{{
		Name: "millrace-config",
		VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: ConfigMapName(sp, configHash)},
		}},
	}, {
		// It outlives a container that was killed, not its pod.
		Name:         "millrace-state",
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1Mi"))}},
	}}
	for _, use := range Secrets(sp) {
		secret := &corev1.SecretVolumeSource{SecretName: use.Name}
		// Only what is needed: a Secret may hold more.
		for _, key := range use.Keys {
			secret.Items = append(secret.Items, corev1.KeyToPath{Key: key, Path: key})
		}
		list = append(list, corev1.Volume{Name: use.volume, VolumeSource: corev1.VolumeSource{Secret: secret}})
	}
	replaced := slices.ContainsFunc(overlay.Volumes, func(v corev1.Volume) bool { return v.Name == tmpVolume })
	if needsTmp(workerOf(overlay)) && !replaced {
		list = append(list, corev1.Volume{Name: tmpVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	return list
}

func volumeMounts(sp *v1alpha1.StreamProcessor, own corev1.Container) []corev1.VolumeMount {
	list := []corev1.VolumeMount{
		{Name: "millrace-config", MountPath: configDir, ReadOnly: true},
		{Name: "millrace-state", MountPath: stateDir},
	}
	for _, use := range Secrets(sp) {
		list = append(list, corev1.VolumeMount{Name: use.volume, MountPath: use.path, ReadOnly: true})
	}
	if needsTmp(own) {
		list = append(list, corev1.VolumeMount{Name: tmpVolume, MountPath: tmpDir})
	}
	return list
}

// needsTmp: the root file system can't be written to, and programs expect to
// find a place for temporary files.
func needsTmp(own corev1.Container) bool {
	return !slices.ContainsFunc(own.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean(m.MountPath) == tmpDir })
}
