package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// rollout returns the strategy for replacing pods. New pods start before old ones stop as
// long as there are partitions for them. If every partition has its pod already, old pods
// stop first. A quarter of the pods is replaced at a time, because each step causes a
// rebalance.
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
