package resources

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// checkPod refuses an overlay that changes a setting that the worker needs. Each error names
// the field of the overlay.
func checkPod(base, overlay, merged *corev1.PodSpec) error {
	return errors.Join(
		checkAccount(overlay),
		checkWorker(base, overlay, merged),
		checkProcessorContainer(base, overlay, merged),
		checkAdapter(base, overlay, merged),
		checkVolumes(overlay, merged),
		checkNeighbours(overlay),
		checkGrace(base, overlay, merged),
		checkAmounts(overlay, merged),
	)
}

// checkAccount refuses the deprecated name of serviceAccountName, because the operator's
// serviceAccountName would win over it.
func checkAccount(overlay *corev1.PodSpec) error {
	if overlay.DeprecatedServiceAccount == "" {
		return nil
	}
	return errors.New("spec.template.spec.serviceAccount: the field has another name now: write serviceAccountName")
}

// problems collects findings about one container of the overlay.
type problems struct {
	path string
	errs []error
}

func (p *problems) add(field, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s.%s: %s", p.path, field, fmt.Sprintf(format, args...)))
}

func containerPath(list string, i int) string {
	return fmt.Sprintf("spec.template.spec.%s[%d]", list, i)
}

// checkWorker checks the worker's container.
func checkWorker(base, overlay, merged *corev1.PodSpec) error {
	i := workerIndex(merged)
	if i < 0 {
		return errors.New("spec.template.spec.containers: the container worker can't be removed: keep it")
	}
	overlaid, before, after := workerOf(overlay), base.Containers[0], merged.Containers[i]
	p := problems{path: containerPath("containers", max(0, workerIndex(overlay)))}
	if overlaid.Image != "" {
		p.add("image", "it is set elsewhere: write it into spec.processor.container.image or spec.processor.cel.image")
	}
	if overlaid.Command != nil {
		p.add("command", "it is set elsewhere: write it into spec.processor.container.command")
	}
	if overlaid.Args != nil {
		p.add("args", "they are set elsewhere: write them into spec.processor.container.args")
	}
	if !samePorts(before.Ports, after.Ports) {
		p.add("ports", "the worker serves metrics and health on port %d, named %q: leave it unchanged, and use other numbers and names for other ports", MetricsPort, metricsPortName)
	}
	checkVariables(&p, overlaid.Env)
	checkMounts(&p, before.VolumeMounts, overlaid.VolumeMounts, after.VolumeMounts)
	return errors.Join(p.errs...)
}

// checkVariables refuses variables of the operator.
func checkVariables(p *problems, env []corev1.EnvVar) {
	for _, v := range env {
		if isOwnVariable(v.Name) {
			p.add("env", "%s: variables that begin with MILLRACE_ are the operator's own: choose another name", v.Name)
		}
	}
}

// checkProcessorContainer checks the container of spec.processor.sidecar, if there is one.
func checkProcessorContainer(base, overlay, merged *corev1.PodSpec) error {
	if processorIndex(base) < 0 {
		return nil
	}
	i := processorIndex(merged)
	if i < 0 {
		return errors.New("spec.template.spec.initContainers: the container processor can't be removed: keep it")
	}
	overlaid, before, after := processorOf(overlay), processorOf(base), merged.InitContainers[i]
	p := problems{path: containerPath("initContainers", max(0, processorIndex(overlay)))}
	for field, set := range map[string]bool{
		"image": overlaid.Image != "", "command": overlaid.Command != nil, "args": overlaid.Args != nil,
	} {
		if set {
			p.add(field, "it is set elsewhere: write it into spec.processor.sidecar.%s", field)
		}
	}
	if after.RestartPolicy == nil || *after.RestartPolicy != corev1.ContainerRestartPolicyAlways {
		p.add("restartPolicy", "the container runs beside the worker: leave the policy Always")
	}
	checkVariables(&p, overlaid.Env)
	keepsVariables(&p, before.Env, after.Env)
	checkMounts(&p, before.VolumeMounts, overlaid.VolumeMounts, after.VolumeMounts)
	return errors.Join(sorted(p.errs)...)
}

// keepsVariables refuses a merge that removes the operator's variables, as with "$patch:
// replace".
func keepsVariables(p *problems, before, after []corev1.EnvVar) {
	for _, v := range before {
		if isOwnVariable(v.Name) && !slices.Contains(after, v) {
			p.add("env", "%s is the operator's own: leave it unchanged", v.Name)
		}
	}
}

func isOwnVariable(name string) bool { return strings.HasPrefix(name, "MILLRACE_") }

// samePorts reports whether the merge keeps the worker's port and its name.
func samePorts(before, after []corev1.ContainerPort) bool {
	worker := slices.DeleteFunc(slices.Clone(after), func(c corev1.ContainerPort) bool {
		return c.ContainerPort != MetricsPort && c.Name != metricsPortName
	})
	for i := range worker {
		worker[i].HostPort, worker[i].HostIP = 0, ""
	}
	return reflect.DeepEqual(worker, before)
}

// checkMounts refuses changes of the operator's mounts, except that of /tmp, and mounts that
// hide them.
func checkMounts(p *problems, before, overlaid, after []corev1.VolumeMount) {
	for _, m := range before {
		if m.MountPath != tmpDir && !slices.ContainsFunc(after, func(o corev1.VolumeMount) bool { return reflect.DeepEqual(o, m) }) {
			p.add("volumeMounts", "the mount of %s is the operator's own: leave it unchanged", m.MountPath)
		}
	}
	for _, m := range overlaid {
		switch clean := path.Clean(m.MountPath); {
		case clean == "/" || clean == "/etc":
			p.add("volumeMounts", "%s would hide the worker's configuration: choose another mountPath", m.MountPath)
		case clean == "/run" || strings.HasPrefix(clean, socketDir):
			p.add("volumeMounts", "%s would hide the socket for processors, which may be in %s: choose another mountPath", m.MountPath, socketDir)
		case strings.HasPrefix(clean, configDir):
			p.add("volumeMounts", "%s: paths that begin with %s are the operator's own: choose another mountPath", m.MountPath, configDir)
		}
	}
}

// ownVolume is the prefix of the names of the operator's volumes. Users may replace
// tmpVolume.
const (
	ownVolume = "millrace-"
	tmpVolume = "millrace-tmp"
)

// checkVolumes refuses changes of the operator's volumes, and mounts without a volume.
func checkVolumes(overlay, merged *corev1.PodSpec) error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for i, v := range overlay.Volumes {
		if strings.HasPrefix(v.Name, ownVolume) && v.Name != tmpVolume {
			refuse("spec.template.spec.volumes[%d].name: %s: volumes that begin with %s are the operator's own: choose another name", i, v.Name, ownVolume)
		}
	}
	names := map[string]bool{}
	for _, v := range merged.Volumes {
		names[v.Name] = true
	}
	for _, m := range workerOf(merged).VolumeMounts {
		if strings.HasPrefix(m.Name, ownVolume) && !names[m.Name] {
			refuse("spec.template.spec.volumes: %s is the operator's own: keep it", m.Name)
		}
	}
	for list, containers := range containersOf(overlay) {
		for i := range containers {
			for j, m := range containers[i].VolumeMounts {
				if !names[m.Name] && m.Name != "" {
					refuse("%s.volumeMounts[%d].name: there is no volume %q: add it to spec.template.spec.volumes", containerPath(list, i), j, m.Name)
				}
			}
		}
	}
	return errors.Join(sorted(errs)...)
}

// checkNeighbours refuses other containers that use the worker's port, because the
// containers of a pod share an address.
func checkNeighbours(overlay *corev1.PodSpec) error {
	var errs []error
	for list, containers := range containersOf(overlay) {
		for i := range containers {
			if list == "containers" && containers[i].Name == v1alpha1.WorkerContainer {
				continue
			}
			errs = append(errs, takesWorkersPort(containerPath(list, i), containers[i].Ports)...)
		}
	}
	return errors.Join(sorted(errs)...)
}

// takesWorkersPort returns an error for each port of a container that is the worker's.
func takesWorkersPort(path string, ports []corev1.ContainerPort) (errs []error) {
	for i, port := range ports {
		if port.ContainerPort == MetricsPort || port.Name == metricsPortName {
			errs = append(errs, fmt.Errorf("%s.ports[%d]: port %d and the name %q are the worker's: choose others", path, i, MetricsPort, metricsPortName))
		}
	}
	return errs
}

func containersOf(pod *corev1.PodSpec) map[string][]corev1.Container {
	return map[string][]corev1.Container{"containers": pod.Containers, "initContainers": pod.InitContainers}
}

// sorted makes the order of errors independent of the order of maps.
func sorted(errs []error) []error {
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errs
}

// checkGrace refuses a grace period that is too short for the worker to drain.
func checkGrace(base, overlay, merged *corev1.PodSpec) error {
	least := *base.TerminationGracePeriodSeconds
	var errs []error
	refuse := func(path string, seconds *int64) {
		if seconds != nil && *seconds < least {
			errs = append(errs, fmt.Errorf("%s: %d s are too few to drain: write at least %d, or shorten spec.drainTimeout", path, *seconds, least))
		}
	}
	if merged.TerminationGracePeriodSeconds == nil {
		refuse("spec.template.spec.terminationGracePeriodSeconds", new(int64(30))) // Kubernetes' default
	}
	refuse("spec.template.spec.terminationGracePeriodSeconds", merged.TerminationGracePeriodSeconds)
	own := workerOf(overlay)
	at := containerPath("containers", max(0, workerIndex(overlay)))
	for field, probe := range map[string]*corev1.Probe{"livenessProbe": own.LivenessProbe, "startupProbe": own.StartupProbe} {
		if probe != nil {
			refuse(at+"."+field+".terminationGracePeriodSeconds", probe.TerminationGracePeriodSeconds)
		}
	}
	return errors.Join(sorted(errs)...)
}

// checkMetadata is stricter than the rules of the CRD, which can't check names.
func checkMetadata(spec *v1alpha1.StreamProcessorSpec) error {
	errs := append(metadataErrors("spec.deployment", spec.Deployment), controllersOwn(spec.Deployment.Annotations)...)
	if spec.Template != nil {
		errs = append(errs, metadataErrors("spec.template.metadata", spec.Template.Metadata)...)
	}
	return errors.Join(errs...)
}

// controllersOwn refuses annotations that the Deployment controller writes or removes,
// because the operator would restore them again and again.
func controllersOwn(annotations map[string]string) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(name, "deployment.kubernetes.io/") || name == appsv1.DeprecatedRollbackTo {
			errs = append(errs, fmt.Errorf("spec.deployment.annotations: %q: it is the Deployment controller's own: remove it", name))
		}
	}
	return errs
}

func metadataErrors(path string, meta v1alpha1.Metadata) []error {
	var errs []error
	check := func(field, name string, findings []string) {
		if len(findings) > 0 {
			errs = append(errs, fmt.Errorf("%s.%s: %q: %s", path, field, name, strings.Join(findings, "; ")))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(meta.Labels)) {
		check("labels", name, append(validation.IsQualifiedName(name), validation.IsValidLabelValue(meta.Labels[name])...))
	}
	for _, name := range slices.Sorted(maps.Keys(meta.Annotations)) {
		check("annotations", name, validation.IsQualifiedName(strings.ToLower(name)))
	}
	return errs
}
