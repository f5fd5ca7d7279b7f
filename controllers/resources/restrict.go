package resources

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// restrict sets the defaults that the restricted pod security standard requires on all
// containers, also those that the overlay adds.
func restrict(pod *corev1.PodSpec) {
	for _, list := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range list {
			restrictOne(&list[i])
		}
	}
}

func restrictOne(c *corev1.Container) {
	if c.SecurityContext == nil {
		c.SecurityContext = &corev1.SecurityContext{}
	}
	s := c.SecurityContext
	if s.Capabilities == nil {
		s.Capabilities = &corev1.Capabilities{}
	}
	privileged := s.Privileged != nil && *s.Privileged ||
		slices.Contains(s.Capabilities.Add, "SYS_ADMIN") || slices.Contains(s.Capabilities.Add, "CAP_SYS_ADMIN")
	if s.AllowPrivilegeEscalation == nil && !privileged { // the API server refuses the combination
		s.AllowPrivilegeEscalation = new(false)
	}
	if s.Capabilities.Drop == nil {
		s.Capabilities.Drop = []corev1.Capability{"ALL"}
	}
}

// roundQuantities rounds as the API server does. Otherwise the live object would differ from
// the applied one.
func roundQuantities(pod *corev1.PodSpec) {
	lists := []corev1.ResourceList{pod.Overhead}
	if r := pod.Resources; r != nil {
		lists = append(lists, r.Limits, r.Requests)
	}
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			lists = append(lists, containers[i].Resources.Limits, containers[i].Resources.Requests)
		}
	}
	for i := range pod.Volumes {
		if e := pod.Volumes[i].Ephemeral; e != nil && e.VolumeClaimTemplate != nil {
			lists = append(lists, e.VolumeClaimTemplate.Spec.Resources.Limits, e.VolumeClaimTemplate.Spec.Resources.Requests)
		}
	}
	for _, list := range lists {
		for name, q := range list {
			q.RoundUp(resource.Milli)
			list[name] = q
		}
	}
}
