// Package cluster runs a Kubernetes cluster of one node from programs on disk:
// etcd, the control plane, CoreDNS, containerd, the kubelet and kube-proxy.
//
// It expects the namespaces that hack/e2e/sandbox.sh makes, where nothing of
// the machine's own is in the way, and leaves stopping and unmounting to their
// end. Pods have addresses in 10.244.0.0/24, reach the API server at 10.96.0.1
// and whatever listens on NodeAddress, and find Services by their names.
package cluster
