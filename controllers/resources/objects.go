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

// Object is an object of the API server.
type Object interface {
	metav1.Object
	runtime.Object
}

// Inputs are the values that the objects depend on in addition to the spec.
type Inputs struct {
	// WorkerImage runs the built-in processors.
	WorkerImage string
	// LogLevel is the log level of workers whose spec has none.
	LogLevel v1alpha1.LogLevel
	Replicas int32
	// RanReplicas is the number of pods, or the last one above zero.
	RanReplicas int32
	// CPU is the decided CPU limit of each pod, in thousandths of a CPU; 0 for the limit
	// of the template.
	CPU int64
	// Partitions is the number of partitions of the input topic; 0 if it is unknown.
	Partitions int32
	// CredentialsHash is the hash of the contents of the Secrets and ConfigMaps that sp
	// refers to.
	CredentialsHash string
	// ReplacedFor is the version of the expressions for which failing pods are replaced, or
	// were replaced last; "" for none.
	ReplacedFor string
	// ExpressionsChange counts the changes of the expressions of these pods, for
	// expressions that come back: a pod that reports a version has read the file since the
	// last change, and not before the first one.
	ExpressionsChange int
	// NetworkPolicy and PodMonitor ask for these objects.
	NetworkPolicy, PodMonitor bool
	// PodMonitorLabels are added to the PodMonitor.
	PodMonitorLabels map[string]string
}

// Objects returns all objects of sp, in the order in which to create them. If a worker could
// not run with the spec, it returns all errors, each with its field.
func Objects(sp *v1alpha1.StreamProcessor, in Inputs) ([]Object, error) {
	content, err := workerFile(sp, in.LogLevel)
	expressions, expressionsErr := expressionsContent(sp)
	configHash, templateErr := configHash(sp, in, content)
	if err := errors.Join(err, expressionsErr, templateErr); err != nil {
		return nil, err
	}
	template, err := podTemplate(sp, in, configHash)
	if err != nil {
		return nil, err
	}
	objects := []Object{
		serviceAccount(sp),
		configMap(sp, configHash, content),
		service(sp),
		disruptionBudget(sp),
	}
	if in.NetworkPolicy {
		objects = append(objects, networkPolicy(sp))
	}
	if in.PodMonitor {
		objects = append(objects, podMonitor(sp, in.PodMonitorLabels))
	}
	if expressions != nil {
		objects = append(objects, expressionsMap(sp, in, configHash, expressions))
	}
	d := deployment(sp, in, template)
	return append(objects, d), markRevision(d, sp)
}

// ConfigMapsOf returns the names of the ConfigMaps among Objects: that of the file and, for
// the built-in processor, that of the expressions, which is "" otherwise. They depend on
// in's WorkerImage and LogLevel.
func ConfigMapsOf(sp *v1alpha1.StreamProcessor, in Inputs) (file, expressions string, err error) {
	content, err := workerFile(sp, in.LogLevel)
	if err != nil {
		return "", "", err
	}
	configHash, err := configHash(sp, in, content)
	if err != nil {
		return "", "", err
	}
	if sp.Spec.Processor.CEL != nil {
		expressions = expressionsName(sp, configHash)
	}
	return ConfigMapName(sp, configHash), expressions, nil
}

// workerFile returns the content of the configuration file for the pods of sp. It names the
// file with the expressions in the place of these, so that another file means other pods.
func workerFile(sp *v1alpha1.StreamProcessor, logLevel v1alpha1.LogLevel) ([]byte, error) {
	cfg, err := WorkerConfig(sp, credentialsDir)
	if err != nil {
		return nil, err
	}
	cfg.StateDir = stateDir
	if cfg.Processor.CEL != nil {
		cfg.Processor = config.Processor{CELFile: expressionsDir + "/" + expressionsFile}
	}
	if sp.Spec.LogLevel == "" && logLevel != "" {
		cfg.Telemetry.LogLevel = config.LogLevel(logLevel)
	}
	content, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("write the worker's configuration: %w", err)
	}
	return content, nil
}

// configHash returns the hash that names the ConfigMaps of sp's pods. It covers the file and
// the pod template. So pods that are being replaced, for example by those of another image
// or with another variable, keep the expressions that were written for them. The content of
// credentials and Inputs.ReplacedFor are left out: their changes replace the pods, but no
// expression depends on them.
func configHash(sp *v1alpha1.StreamProcessor, in Inputs, file []byte) (string, error) {
	template, err := podTemplate(sp, Inputs{WorkerImage: in.WorkerImage}, "")
	if err != nil {
		return "", err
	}
	return hashOf([]any{string(file), template})
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

// configMap returns the ConfigMap with the configuration file. It is immutable, and another
// file gets another ConfigMap. So an old pod that restarts reads the old file, and a new pod
// does not start before its file exists.
func configMap(sp *v1alpha1.StreamProcessor, configHash string, content []byte) *corev1.ConfigMap {
	c := &corev1.ConfigMap{
		TypeMeta:   typeMeta("v1", "ConfigMap"),
		ObjectMeta: objectMeta(sp),
		Data:       map[string]string{configFile: string(content)},
		Immutable:  new(true),
	}
	c.Labels[ConfigLabel] = configHash
	c.Name = ConfigMapName(sp, configHash)
	return c
}

// serviceAccount returns an account without permissions and without a token. Without it the
// pods would run as the namespace's default account, which may have both.
func serviceAccount(sp *v1alpha1.StreamProcessor) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     typeMeta("v1", "ServiceAccount"),
		ObjectMeta:                   objectMeta(sp),
		AutomountServiceAccountToken: new(false),
	}
}
