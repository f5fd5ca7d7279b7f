package controllers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestKafkaTakesServiceAccountTokens: an Apache Kafka that checks tokens with the API
// server's keys knows the operator and the pods as the pods' service account.
func TestKafkaTakesServiceAccountTokens(t *testing.T) {
	o := newOperator(t, 0)
	broker := o.brokerOfTokens()
	broker.CreateTopic("orders", 3, nil)
	broker.CreateTopic("enriched", 1, nil)
	o.watch = watchKafka(t)
	o.run(plan.Environment{WorkerImage: "worker:1"})
	account := &corev1.ServiceAccount{}
	account.Name, account.Namespace = "payments", o.namespace
	o.processor("enrich", asksWithToken, runsAs("payments"), func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Kafka.BootstrapServers = broker.SecureAddrs()
	})
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "payments", "not found")
	o.create(account)
	o.expect("enrich", "KafkaReachable", yes, "Reachable")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Kafka.SASL.OAuth.ServiceAccountToken.Audience = "another" })
	o.expect("enrich", "KafkaReachable", no, "NotAuthorized", "SASL")
}

// brokerOfTokens starts a broker that checks tokens with the API server's published keys.
func (o *operator) brokerOfTokens() *kafkatest.Broker {
	o.Helper()
	set, err := kubernetes.NewForConfig(o.api.Config)
	if err != nil {
		o.Fatal(err)
	}
	keys, err := set.RESTClient().Get().AbsPath("/openid/v1/jwks").DoRaw(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	file := filepath.Join(o.TempDir(), "jwks.json")
	if err := os.WriteFile(file, keys, 0o600); err != nil {
		o.Fatal(err)
	}
	url := "file://" + file
	o.Setenv("KAFKA_JVM_OPTS", fmt.Sprintf("-Xmx512m -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=%s -Dorg.apache.kafka.sasl.oauthbearer.allowed.files=%s", url, file))
	const listener = "listener.name.secure.oauthbearer.sasl."
	return kafkatest.Apache(o.T, kafkatest.Tokens(), kafkatest.ACLs(o.mayDescribe("payments")...),
		kafkatest.Property(listener+"server.callback.handler.class", "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"),
		kafkatest.Property(listener+"oauthbearer.jwks.endpoint.url", url),
		kafkatest.Property(listener+"oauthbearer.expected.audience", "kafka"))
}

// mayDescribe lets one service account ask the operator's questions.
func (o *operator) mayDescribe(account string) []kafkatest.ACL {
	user := "system:serviceaccount:" + o.namespace + ":" + account
	return []kafkatest.ACL{
		{User: user, Resource: kmsg.ACLResourceTypeTopic, Name: "*", Operation: kmsg.ACLOperationDescribe},
		{User: user, Resource: kmsg.ACLResourceTypeGroup, Name: "*", Operation: kmsg.ACLOperationDescribe},
	}
}
