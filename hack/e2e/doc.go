// Package e2e proves the operator end to end, as its users meet it: a real
// Kubernetes node and Apache Kafka, both in namespaces of the test's own, the
// Helm chart, and the images that this repository builds. Its tests have the
// build tag e2e; make e2e builds what they need and runs them.
package e2e
