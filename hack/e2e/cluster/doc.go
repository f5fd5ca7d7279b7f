// Package cluster runs a Kubernetes cluster of one node from programs on disk:
// etcd, the control plane, CoreDNS, containerd, the kubelet and kube-proxy.
//
// It runs in the namespaces that hack/e2e/sandbox.sh creates, which isolate it from the
// machine. The end of the namespaces stops the programs and removes the mounts. Pods have
// addresses in 10.244.0.0/24. They reach the API server at 10.96.0.1 and all ports of
// NodeAddress, and resolve the names of Services.
package cluster
