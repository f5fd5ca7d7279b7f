// Package controllerstest runs a real kube-apiserver with etcd for tests, with
// the StreamProcessor's CRD installed and every write recorded. There is no
// node and no other controller: nothing starts pods, collects garbage or empties
// a namespace that is deleted.
//
// The binaries are those in the folder KUBEBUILDER_ASSETS, or else the released or built
// ones that hack/cluster/binaries.sh leaves in bin. Without them the tests that need a
// server are skipped; in continuous integration they fail.
package controllerstest
