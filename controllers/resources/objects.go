package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// Object is anything that the API server keeps.
type Object interface {
	metav1.Object
	runtime.Object
}

// Inputs are what the objects depend on beside the spec.
type Inputs struct {
	// WorkerImage runs the built-in processors.
	WorkerImage string
	// LogLevel is that of workers whose spec has none.
	LogLevel v1alpha1.LogLevel
	Replicas int32
	// RanReplicas is how many pods run, or ran last.
	RanReplicas int32
	// CPU is the limit that each pod is to have, in thousandths; 0 for that of the
	// template.
	CPU int64
	// Partitions of the input topic; 0 if they are not known.
	Partitions int32
	// CredentialsHash stands for the content of the Secrets and ConfigMaps that sp
	// refers to.
	CredentialsHash string
	// NetworkPolicy and PodMonitor ask for these objects.
	NetworkPolicy, PodMonitor bool
	// PodMonitorLabels are on the PodMonitor beside our own.
	PodMonitorLabels map[string]string
}

// Objects are all that sp needs, in the order in which they are to be there. It
// fails with what keeps a worker from running with the spec, each by its field.
func Objects(sp *v1alpha1.StreamProcessor, in Inputs) ([]Object, error) {
	content, err := workerFile(sp, in.LogLevel)
	template, templateErr := podTemplate(sp, in, hash(content))
	if err := errors.Join(err, templateErr); err != nil {
		return nil, err
	}
	objects := []Object{
		serviceAccount(sp),
		configMap(sp, content),
		service(sp),
		disruptionBudget(sp),
	}
	if in.NetworkPolicy {
		objects = append(objects, networkPolicy(sp))
	}
	if in.PodMonitor {
		objects = append(objects, podMonitor(sp, in.PodMonitorLabels))
	}
	d := deployment(sp, in, template)
	return append(objects, d), markRevision(d, sp)
}

// ConfigMapOf is the name of the ConfigMap that Objects makes.
func ConfigMapOf(sp *v1alpha1.StreamProcessor, logLevel v1alpha1.LogLevel) (string, error) {
	content, err := workerFile(sp, logLevel)
	return ConfigMapName(sp, hash(content)), err
}

// workerFile is the content of the file that the pods of sp read.
func workerFile(sp *v1alpha1.StreamProcessor, logLevel v1alpha1.LogLevel) ([]byte, error) {
	cfg, err := WorkerConfig(sp, credentialsDir)
	if err != nil {
		return nil, err
	}
	cfg.StateDir = stateDir
	if sp.Spec.LogLevel == "" && logLevel != "" {
		cfg.Telemetry.LogLevel = config.LogLevel(logLevel)
	}
	content, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("write the worker's configuration: %w", err)
	}
	return content, nil
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

// configFile is the name of the configuration in the ConfigMap and in the pod.
const configFile = "worker.yaml"

// configMap never changes, and each file has one of its own. So pods and their
// file belong together: an old pod that restarts reads the old file, and a new pod
// does not start before its file is there.
func configMap(sp *v1alpha1.StreamProcessor, content []byte) *corev1.ConfigMap {
	c := &corev1.ConfigMap{
		TypeMeta:   typeMeta("v1", "ConfigMap"),
		ObjectMeta: objectMeta(sp),
		Data:       map[string]string{configFile: string(content)},
		Immutable:  new(true),
	}
	c.Labels[ConfigLabel] = hash(content)
	c.Name = ConfigMapName(sp, c.Labels[ConfigLabel])
	return c
}

// serviceAccount has no rights and no token; it is there so that pods don't run
// as the namespace's default one, which may have both.
func serviceAccount(sp *v1alpha1.StreamProcessor) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     typeMeta("v1", "ServiceAccount"),
		ObjectMeta:                   objectMeta(sp),
		AutomountServiceAccountToken: new(false),
	}
}
