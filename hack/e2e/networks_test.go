//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// brokerService is a Service named kafka in a namespace, with a port of the node
// behind it.
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

// shortBrokerName runs a StreamProcessor that calls its broker kafka:9092, as the
// samples do. The operator's own namespace has a Service of that name too, behind which
// there is no broker, and the API server is not one that it may dial.
func shortBrokerName(s *suite) {
	const shop, name = "shop", "greetings"
	s.kubectl("create", "namespace", shop)
	s.apply(brokerService(shop, 9092))
	s.apply(brokerService(system, 9))
	s.kafka.CreateTopic(name, 2, nil)
	s.kafka.CreateTopic(name+"-copy", 2, nil)
	s.kafka.Produce(&kgo.Record{Topic: name, Value: []byte("hello")})

	short := strings.Replace(manifest(name, ""), cluster.NodeAddress+":9092", "kafka:9092", 1)
	s.program(short, s.tool("kubectl"), "apply", "--namespace", shop, "-f", "-")
	s.awaitStreamProcessor(shop, name, ready()...)
	s.await("the copy", patience, func() error {
		if ends := s.kafka.EndOffsets(name+"-copy", kgo.ReadUncommitted()); ends[0]+ends[1] != 1 {
			return fmt.Errorf("the ends are %v", ends)
		}
		return nil
	})

	denied := strings.Replace(manifest("denied", ""), cluster.NodeAddress+":9092", "kubernetes.default:443", 1)
	s.program(denied, s.tool("kubectl"), "apply", "--namespace", shop, "-f", "-")
	s.awaitStreamProcessor(shop, "denied", condition{
		kind: "KafkaReachable", status: metav1.ConditionFalse, words: []string{"kafka.deniedBrokers"},
	})
	s.kubectl("delete", "namespace", shop, "--timeout=60s")
	s.kubectl("delete", "service/kafka", "endpointslice/kafka", "--namespace", system)
}

// awaitStreamProcessor is awaitConditions for one of another namespace.
func (s *suite) awaitStreamProcessor(namespace, name string, want ...condition) {
	s.Helper()
	s.await(fmt.Sprintf("StreamProcessor %s/%s with %v", namespace, name, want), patience, func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := s.get(namespace, name, sp); err != nil {
			return err
		}
		var errs []error
		for _, w := range want {
			errs = append(errs, w.check(sp.Status.Conditions))
		}
		return errors.Join(errs...)
	})
}
