package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// rollout says how pods are replaced. A new pod is started before an old one is
// stopped as long as there is a partition for it; where every partition has its
// pod already, one of them is stopped first. A quarter at a time: each step is
// a rebalance.
func rollout(replicas, partitions int32) appsv1.DeploymentStrategy {
	step := max(1, replicas/4)
	surge := max(0, min(step, partitions-replicas))
	var unavailable int32
	if surge == 0 {
		unavailable = step
	}
	return appsv1.DeploymentStrategy{
		Type: appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{
			MaxSurge: new(intstr.FromInt32(surge)), MaxUnavailable: new(intstr.FromInt32(unavailable)),
		},
	}
}
