package resources

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// CheckForCluster returns the errors of sp that a cluster would report and a worker does not
// notice: those in its images, its template, its labels and annotations, and its
// autoscaling. It is for manifests that have not passed through an API server.
func CheckForCluster(sp *v1alpha1.StreamProcessor) error {
	return errors.Join(checkImages(&sp.Spec.Processor), CheckTemplate(sp), checkOwnNames(&sp.Spec), checkAutoscaling(sp.Spec.Autoscaling), checkVertical(&sp.Spec), checkSidecar(sp.Spec.Processor.Sidecar))
}

// imageName is the pattern of the CRD.
var imageName = regexp.MustCompile(`^([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]+)?/)?[a-z0-9]+([-._/]+[a-z0-9]+)*` +
	`(:[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127})?(@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$`)

func checkImages(p *v1alpha1.ProcessorSpec) error {
	check := func(path, image string) error {
		if image == "" || imageName.MatchString(image) {
			return nil
		}
		return fmt.Errorf("%s: %q is not a container image: write one such as registry/name:tag or registry/name@sha256:digest", path, image)
	}
	var errs []error
	if p.CEL != nil {
		errs = append(errs, check("spec.processor.cel.image", p.CEL.Image))
	}
	if p.Container != nil {
		errs = append(errs, check("spec.processor.container.image", p.Container.Image))
	}
	if p.Sidecar != nil {
		errs = append(errs, check("spec.processor.sidecar.image", p.Sidecar.Image))
	}
	return errors.Join(errs...)
}

// checkOwnNames refuses the operator's own labels and annotations.
func checkOwnNames(spec *v1alpha1.StreamProcessorSpec) error {
	all := map[string]v1alpha1.Metadata{"spec.deployment": spec.Deployment}
	if spec.Template != nil {
		all["spec.template.metadata"] = spec.Template.Metadata
	}
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(all)) {
		errs = append(errs, ownNames(path+".labels", all[path].Labels), ownNames(path+".annotations", all[path].Annotations))
	}
	return errors.Join(errs...)
}

func ownNames(path string, set map[string]string) error {
	ours := []string{nameLabel, InstanceLabel, ManagedByLabel, componentLabel}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if slices.Contains(ours, name) || strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
			errs = append(errs, fmt.Errorf("%s: %q is the operator's own: remove it", path, name))
		}
	}
	return errors.Join(errs...)
}

func checkAutoscaling(a *v1alpha1.AutoscalingSpec) error {
	if a == nil {
		return nil
	}
	const path = "spec.autoscaling"
	var errs []error
	if a.MaxReplicas < 1 {
		errs = append(errs, errors.New(path+".maxReplicas: it is not set: write the highest number of pods"))
	} else if a.MinReplicas > a.MaxReplicas {
		errs = append(errs, fmt.Errorf("%s.minReplicas: %d is above autoscaling.maxReplicas, which is %d: lower it, or raise maxReplicas", path, a.MinReplicas, a.MaxReplicas))
	}
	errs = append(errs, within(path+".targetLag", a.TargetLag, time.Second, 24*time.Hour))
	if b := a.Behavior; b != nil {
		errs = append(errs,
			within(path+".behavior.scaleUp.stabilizationWindow", b.ScaleUp.StabilizationWindow, time.Second, 10*time.Minute),
			within(path+".behavior.scaleDown.stabilizationWindow", b.ScaleDown.StabilizationWindow, time.Second, 10*time.Minute),
			within(path+".behavior.cooldown", b.Cooldown, 0, time.Hour))
	}
	if v := a.Vertical; v != nil {
		errs = append(errs, amountOfCPU(path+".vertical.maxCPU", &v.MaxCPU), amountOfCPU(path+".vertical.step", v.Step))
	}
	return errors.Join(errs...)
}

// checkSidecar refuses an adapter that does not know its program, and variables and ports that
// the operator and the worker use.
func checkSidecar(s *v1alpha1.SidecarSpec) error {
	if s == nil {
		return nil
	}
	const path = "spec.processor.sidecar"
	var errs []error
	if s.Adapter != "" && s.Adapter != v1alpha1.LinesAdapter { // the program would be taken for one with an SDK
		errs = append(errs, fmt.Errorf("%s.adapter: there is no adapter %q: write %s", path, s.Adapter, v1alpha1.LinesAdapter))
	}
	if s.Adapter != "" && len(s.Command) == 0 {
		errs = append(errs, errors.New(path+".command: an adapter starts the program itself, and does not know the image's entry point: set command"))
	}
	p := problems{path: path}
	checkVariables(&p, s.Env)
	for i, v := range s.Env {
		if slices.ContainsFunc(s.Env[:i], func(o corev1.EnvVar) bool { return o.Name == v.Name }) {
			p.add("env", "%s is there twice: remove one", v.Name)
		}
	}
	for i := range s.Ports {
		checkPort(&p, s.Ports, i)
	}
	return errors.Join(append(append(errs, p.errs...), takesWorkersPort(path, s.Ports)...)...)
}

// checkPort checks one of a container's ports, also against those before it.
func checkPort(p *problems, ports []corev1.ContainerPort, i int) {
	field, port := fmt.Sprintf("ports[%d]", i), ports[i]
	if port.ContainerPort < 1 || port.ContainerPort > math.MaxUint16 {
		p.add(field+".containerPort", "%d is no port: choose one from 1 to 65535", port.ContainerPort)
	}
	if port.Name != "" {
		if findings := validation.IsValidPortName(port.Name); len(findings) > 0 {
			p.add(field+".name", "%q: %s", port.Name, strings.Join(findings, "; "))
		}
	}
	for _, before := range ports[:i] {
		switch {
		case before.ContainerPort == port.ContainerPort && cmp.Or(before.Protocol, corev1.ProtocolTCP) == cmp.Or(port.Protocol, corev1.ProtocolTCP):
			p.add(field, "port %d is there twice: remove one", port.ContainerPort)
		case before.Name == port.Name && port.Name != "":
			p.add(field+".name", "two ports have the name %q: give each another one", port.Name)
		}
	}
}

// checkVertical refuses CPU for a container that does not need it.
func checkVertical(spec *v1alpha1.StreamProcessorSpec) error {
	if spec.Processor.Sidecar == nil || spec.Autoscaling == nil || spec.Autoscaling.Vertical == nil {
		return nil
	}
	return errors.New("spec.autoscaling.vertical: it gives CPU to the worker's container, and with processor.sidecar the work is in another one: remove it")
}

func within(path string, d *metav1.Duration, least, most time.Duration) error {
	if d == nil || d.Duration >= least && d.Duration <= most {
		return nil
	}
	return fmt.Errorf("%s: %v is out of bounds: choose a value from %v to %v", path, d.Duration, least, most)
}

func amountOfCPU(path string, q *resource.Quantity) error {
	if q == nil || q.Cmp(resource.MustParse("10m")) >= 0 && q.Cmp(resource.MustParse("1024")) <= 0 {
		return nil
	}
	return fmt.Errorf("%s: %s is out of bounds: choose an amount of CPU from 10m to 1024", path, q.String())
}
