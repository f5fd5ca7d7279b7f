//go:build e2e

package e2e

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// brokerService is a Service named kafka in a namespace that leads to a port of the node.
func brokerService(namespace string, port int) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: kafka, namespace: %[1]s}
spec:
  ports: [{name: kafka, port: 9092, targetPort: %[2]d}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kafka
  namespace: %[1]s
  labels: {kubernetes.io/service-name: kafka}
addressType: IPv4
endpoints: [{addresses: [%[3]s]}]
ports: [{name: kafka, port: %[2]d, protocol: TCP}]
`, namespace, port, cluster.NodeAddress)
}

// shortBrokerName runs a StreamProcessor whose broker is kafka:9092, as in the samples. The
// operator's namespace has a Service of that name too, which leads to no broker. It also
// checks that the operator does not dial the API server.
func shortBrokerName(s *suite) {
	const shop = "shop"
	s.kubectl("create", "namespace", shop)
	s.apply(brokerService(shop, 9092))
	s.apply(brokerService(system, 9))
	greetings := copier{shop, "greetings"}
	greetings.run(s, withKafka(manifest(greetings.name, ""), "    bootstrapServers: [kafka:9092]\n"))

	denied := copier{shop, "denied"}
	denied.apply(s, withKafka(manifest(denied.name, ""), "    bootstrapServers: [kubernetes.default:443]\n"))
	s.awaitStreamProcessor(shop, denied.name, condition{
		kind: "KafkaReachable", status: metav1.ConditionFalse, words: []string{"kafka.deniedBrokers"},
	})
	s.kubectl("delete", "namespace", shop, "--timeout=60s")
	s.kubectl("delete", "service/kafka", "endpointslice/kafka", "--namespace", system)
}
