package resources

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// CheckForCluster returns the errors of sp that a cluster would report and a worker does not
// notice: those in its images, its template, its labels and annotations, and its
// autoscaling. It is for manifests that have not passed through an API server.
func CheckForCluster(sp *v1alpha1.StreamProcessor) error {
	return errors.Join(checkImages(&sp.Spec.Processor), CheckTemplate(sp), checkOwnNames(&sp.Spec), checkAutoscaling(sp.Spec.Autoscaling), checkVertical(&sp.Spec), checkAdapterCommand(&sp.Spec.Processor))
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

// checkAdapterCommand refuses an adapter that does not know its program.
func checkAdapterCommand(p *v1alpha1.ProcessorSpec) error {
	if p.Sidecar == nil || p.Sidecar.Adapter == "" || len(p.Sidecar.Command) > 0 {
		return nil
	}
	return errors.New("spec.processor.sidecar.command: an adapter starts the program itself, and does not know the image's entry point: set command")
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
