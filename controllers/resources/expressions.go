package resources

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// expressionsFile is the name of the file with the expressions in their ConfigMap and in
// the pod.
const expressionsFile = "expressions.yaml"

// replacedForAnnotation is an annotation of the ConfigMap with the expressions and of the
// pod template. Its value is the version for which failing pods were replaced last: the
// annotation of the ConfigMap makes the template follow, also after an operator has ended
// between the two.
const replacedForAnnotation = "millrace.dev/replaced-for"

// versionAnnotation is an annotation of the ConfigMap with the expressions, and of the pods
// that the operator has asked to take changed expressions over. Its value is the version
// that the operator wrote, or asked for.
const versionAnnotation = "millrace.dev/expressions"

// changeAnnotation is an annotation of the ConfigMap with the expressions. Its value is
// Inputs.ExpressionsChange; there is none for 0.
const changeAnnotation = "millrace.dev/expressions-change"

// askedAtAnnotation is an annotation of such a pod. Its value is the time. The pod template
// has neither annotation.
const askedAtAnnotation = "millrace.dev/expressions-at"

// AskToReload returns a merge patch that makes a pod's kubelet look at the ConfigMap with
// the expressions. The time makes a second patch differ from the first. The patch fails if
// the pod has changed since it was read, perhaps by an earlier one.
func AskToReload(pod *corev1.Pod, version string, now time.Time) map[string]any {
	return map[string]any{"metadata": map[string]any{
		"resourceVersion": pod.ResourceVersion,
		"annotations": map[string]any{
			versionAnnotation: version, askedAtAnnotation: now.UTC().Format(time.RFC3339),
		},
	}}
}

// AskedToReload returns the version and the time of the last AskToReload for a pod.
func AskedToReload(pod *corev1.Pod) (version string, at time.Time) {
	at, err := time.Parse(time.RFC3339, pod.Annotations[askedAtAnnotation])
	if err != nil {
		return "", time.Time{}
	}
	return pod.Annotations[versionAnnotation], at
}

// expressionsName returns the name of the ConfigMap with the expressions for the pods whose
// ConfigLabel has that value. Pods of another template have other expressions: these never
// meet a file, an image or a variable that they were not written for.
func expressionsName(sp *v1alpha1.StreamProcessor, configHash string) string {
	return ConfigMapName(sp, configHash) + "-expressions"
}

// IsOfConfig reports whether a ConfigMap of that name has the file or the expressions for
// the pods whose ConfigLabel has that value.
func IsOfConfig(sp *v1alpha1.StreamProcessor, name, configHash string) bool {
	return name == ConfigMapName(sp, configHash) || name == expressionsName(sp, configHash)
}

// expressionsContent returns the content of the file with sp's expressions, nil for another
// processor.
func expressionsContent(sp *v1alpha1.StreamProcessor) ([]byte, error) {
	expressions := Expressions(sp.Spec.Processor)
	if expressions == nil {
		return nil, nil
	}
	content, err := json.Marshal(expressions)
	if err != nil {
		return nil, fmt.Errorf("write the expressions: %w", err)
	}
	content = escapeUnprintable(content)
	if _, merges := expressions.Headers["<<"]; merges {
		// The YAML library writes this key without quotes, and then reads it as a merge of
		// maps. JSON is YAML too, and has the quotes.
		return content, nil
	}
	if content, err = yaml.JSONToYAML(content); err != nil {
		return nil, fmt.Errorf("write the expressions: %w", err)
	}
	return content, nil
}

// escapeUnprintable escapes the characters that JSON may have as they are, and YAML may not.
func escapeUnprintable(content []byte) []byte {
	var escaped strings.Builder
	for _, r := range string(content) {
		if r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		} else {
			escaped.WriteRune(r)
		}
	}
	return []byte(escaped.String())
}

// ExpressionsVersion returns the version of sp's expressions, as workers report it; "" for
// another processor. live is the ConfigMap with the expressions; nil if there is none.
func ExpressionsVersion(sp *v1alpha1.StreamProcessor, live *corev1.ConfigMap) string {
	content, err := expressionsContent(sp)
	if err != nil || content == nil {
		return "" // texts can always be written
	}
	return config.ExpressionsVersion(numbered(content, changeOf(content, live)))
}

// ExpressionsChange returns the value for Inputs.ExpressionsChange. live is the ConfigMap with
// the expressions; nil if there is none.
func ExpressionsChange(sp *v1alpha1.StreamProcessor, live *corev1.ConfigMap) int {
	content, err := expressionsContent(sp)
	if err != nil || content == nil {
		return 0
	}
	return changeOf(content, live)
}

// changeOf returns the change that brought live to content, or the one that will.
func changeOf(content []byte, live *corev1.ConfigMap) int {
	if live == nil {
		return 0
	}
	change, err := strconv.Atoi(live.Annotations[changeAnnotation])
	if err != nil || change < 0 {
		change = 0 // there was no change, or somebody has written something else
	}
	if config.ExpressionsVersion(numbered(content, change)) == VersionIn(live) {
		return change
	}
	return change + 1
}

// numbered returns the content of a file after a change. A comment makes its version differ
// from that of the same expressions before the change.
func numbered(content []byte, change int) []byte {
	if change == 0 {
		return content
	}
	return append(fmt.Appendf(nil, "# change %d\n", change), content...)
}

// VersionIn returns the version of the expressions that the operator last wrote into a
// ConfigMap. Somebody may have changed the content since.
func VersionIn(c *corev1.ConfigMap) string { return c.Annotations[versionAnnotation] }

// ReplacedFor returns the version for which failing pods were replaced last; "" for none.
// The ConfigMap with their expressions has it, c, which is written first. If somebody has
// deleted the ConfigMap or its annotation, the pod template of d still has it. Both c and d
// may be nil.
func ReplacedFor(c *corev1.ConfigMap, d *appsv1.Deployment) string {
	if c != nil && c.Annotations[replacedForAnnotation] != "" {
		return c.Annotations[replacedForAnnotation]
	}
	if d == nil {
		return ""
	}
	return d.Spec.Template.Annotations[replacedForAnnotation]
}

// HoldsExpressions reports whether an object is the ConfigMap with the expressions.
func HoldsExpressions(object Object) bool {
	c, ok := object.(*corev1.ConfigMap)
	return ok && c.Data[expressionsFile] != ""
}

// expressionsMap returns the ConfigMap with the expressions. It is not immutable: the
// kubelets bring its changes to the pods, and the workers go on with the new expressions.
func expressionsMap(sp *v1alpha1.StreamProcessor, in Inputs, configHash string, content []byte) *corev1.ConfigMap {
	content = numbered(content, in.ExpressionsChange)
	c := &corev1.ConfigMap{
		TypeMeta:   typeMeta("v1", "ConfigMap"),
		ObjectMeta: objectMeta(sp),
		Data:       map[string]string{expressionsFile: string(content)},
	}
	c.Name = expressionsName(sp, configHash)
	c.Labels[ConfigLabel] = configHash
	c.Annotations = map[string]string{versionAnnotation: config.ExpressionsVersion(content)}
	if in.ExpressionsChange > 0 {
		c.Annotations[changeAnnotation] = strconv.Itoa(in.ExpressionsChange)
	}
	if in.ReplacedFor != "" {
		c.Annotations[replacedForAnnotation] = in.ReplacedFor
	}
	return c
}
