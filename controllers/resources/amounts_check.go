package resources

import (
	"errors"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// checkAmounts refuses requests and limits that an API server would refuse with the Deployment.
// It names the field where the user has set them: the spec of a sidecar, or the template.
func checkAmounts(overlay, merged *corev1.PodSpec) error {
	var errs []error
	written := containersOf(overlay)
	for list, containers := range containersOf(merged) {
		for i := range containers {
			c := &containers[i]
			at := slices.IndexFunc(written[list], func(o corev1.Container) bool { return o.Name == c.Name })
			a := amounts{all: c.Resources}
			if at >= 0 {
				a.template, a.inTemplate = containerPath(list, at)+".resources", written[list][at].Resources
			}
			if list == "initContainers" && c.Name == v1alpha1.ProcessorContainer {
				a.spec = "spec.processor.sidecar.resources"
			}
			errs = append(errs, a.check()...)
		}
	}
	return errors.Join(sorted(errs)...)
}

// amounts are the requests and limits of a container.
type amounts struct {
	all corev1.ResourceRequirements
	// inTemplate are those that the template sets, at the path template.
	template   string
	inTemplate corev1.ResourceRequirements
	// spec is the path of the others, "" for those of the operator.
	spec string
}

func (a *amounts) check() []error {
	var requests, limits problems
	for _, name := range slices.Sorted(maps.Keys(a.all.Limits)) {
		limits.path = a.pathOf(a.inTemplate.Limits, name)
		checkAmount(&limits, "limits", name, a.all.Limits[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.all.Requests)) {
		requests.path = a.pathOf(a.inTemplate.Requests, name)
		request := a.all.Requests[name]
		if !checkAmount(&requests, "requests", name, request) {
			continue
		}
		limit, limited := a.all.Limits[name]
		switch field, subject := fieldOf("requests", name); {
		case limited && request.Cmp(limit) > 0:
			requests.add(field, "%s%s is above the limit of %s: lower it, or raise the limit", subject, request.String(), limit.String())
		case isShared(name):
		case !limited:
			requests.add(field, "%sit needs a limit of the same amount: set limits, too", subject)
		case request.Cmp(limit) != 0:
			requests.add(field, "%s%s is not the limit of %s: write the same amount", subject, request.String(), limit.String())
		}
	}
	return append(limits.errs, requests.errs...)
}

// pathOf returns the path of the resources where an amount is set.
func (a *amounts) pathOf(inTemplate corev1.ResourceList, name corev1.ResourceName) string {
	if _, ok := inTemplate[name]; ok || a.spec == "" {
		return a.template
	}
	return a.spec
}

// checkAmount checks one amount for itself, and reports whether it can be compared with others.
func checkAmount(p *problems, kind string, name corev1.ResourceName, amount resource.Quantity) bool {
	before := len(p.errs)
	field, subject := fieldOf(kind, name)
	switch {
	case !isShared(name) && !strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) && !strings.Contains(string(name), "/"):
		p.add(kind, "%s: a container has no such resource: write cpu, memory, ephemeral-storage, or a name with a domain such as nvidia.com/gpu", name)
	case amount.Sign() < 0:
		p.add(field, "%s%s is below 0: write a positive amount", subject, amount.String())
	case !isShared(name) && amount.Cmp(*resource.NewQuantity(amount.Value(), amount.Format)) != 0:
		p.add(field, "%s%s is not a whole number: write one", subject, amount.String())
	}
	return len(p.errs) == before
}

// fieldOf returns the field of an amount, and what a message about it begins with. A name with a
// domain has dots, and can't be a part of a path.
func fieldOf(kind string, name corev1.ResourceName) (field, subject string) {
	if strings.ContainsAny(string(name), "./") {
		return kind, string(name) + ": "
	}
	return kind + "." + string(name), ""
}

// isShared reports whether a container may use more of a resource than it requests. An API server
// allows it for all resources of Kubernetes but huge pages, those of schedulers too, such as
// kubernetes.io/batch-cpu.
func isShared(name corev1.ResourceName) bool {
	return strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix) ||
		name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage
}
