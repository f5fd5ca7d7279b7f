package resources

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// MetricsPort is the port at which workers serve metrics, health and /status.
const MetricsPort = 8080

const metricsPortName = "metrics"

// service returns a headless Service, which gives each pod a DNS name for scraping.
func service(sp *v1alpha1.StreamProcessor) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   typeMeta("v1", "Service"),
		ObjectMeta: objectMeta(sp),
		Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone,
			Selector:  Selector(sp.Name),
			// A pod that does not become ready is the most interesting one to scrape.
			PublishNotReadyAddresses: true,
			Ports: []corev1.ServicePort{{
				Name: metricsPortName, Port: MetricsPort, Protocol: corev1.ProtocolTCP,
				TargetPort: intstr.FromString(metricsPortName),
			}},
		},
	}
}

// disruptionBudget lets drains of nodes evict one worker at a time, because each eviction
// moves partitions.
func disruptionBudget(sp *v1alpha1.StreamProcessor) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   typeMeta("policy/v1", "PodDisruptionBudget"),
		ObjectMeta: objectMeta(sp),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             new(intstr.FromInt32(1)),
			Selector:                   &metav1.LabelSelector{MatchLabels: Selector(sp.Name)},
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}

// networkPolicy admits connections to the metrics port only. It does not restrict outgoing
// connections, because the addresses of brokers are not known here.
func networkPolicy(sp *v1alpha1.StreamProcessor) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{
		TypeMeta:   typeMeta("networking.k8s.io/v1", "NetworkPolicy"),
		ObjectMeta: objectMeta(sp),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: Selector(sp.Name)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{
				Ports: []networkingv1.NetworkPolicyPort{{
					Protocol: new(corev1.ProtocolTCP), Port: new(intstr.FromInt32(MetricsPort)),
				}},
			}},
		},
	}
}

// PodMonitorKind is the kind of the Prometheus operator's PodMonitor.
var PodMonitorKind = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "PodMonitor"}

// podMonitor returns an unstructured object, to avoid a dependency on the Prometheus
// operator.
func podMonitor(sp *v1alpha1.StreamProcessor, more map[string]string) *unstructured.Unstructured {
	monitor := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"selector":            map[string]any{"matchLabels": stringMap(Selector(sp.Name))},
			"podMetricsEndpoints": []any{map[string]any{"port": metricsPortName}},
		},
	}}
	meta := objectMeta(sp)
	monitor.SetGroupVersionKind(PodMonitorKind)
	monitor.SetName(meta.Name)
	monitor.SetNamespace(meta.Namespace)
	monitor.SetLabels(labels.Merge(more, meta.Labels))
	monitor.SetOwnerReferences(meta.OwnerReferences)
	return monitor
}

func stringMap(from map[string]string) map[string]any {
	to := make(map[string]any, len(from))
	for k, v := range from {
		to[k] = v
	}
	return to
}
