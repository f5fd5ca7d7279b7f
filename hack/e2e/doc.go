// Package e2e tests the operator end to end: a real Kubernetes node and Apache Kafka, both in
// Linux namespaces of the test, with the Helm chart and the images that this repository
// builds. The tests have the build tag e2e; make e2e builds the prerequisites and runs them.
package e2e
