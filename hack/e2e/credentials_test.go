//go:build e2e

package e2e

import (
	"fmt"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// strimziSecrets runs a StreamProcessor that refers to Secrets in the form in which Strimzi
// creates them for a Kafka and a KafkaUser. The user's ca.crt is that of the clients'
// authority. The listener requires both the certificate and the password.
func strimziSecrets(s *suite, broker *kafkatest.Broker) {
	payouts := copier{namespace, "payouts"}
	pair := broker.CA.Client(user)
	s.kubectl("create", "secret", "generic", "shop-cluster-ca-cert", "--from-file=ca.crt="+broker.CA.File, "--from-literal=ca.password=store")
	s.kubectl("create", "secret", "generic", "payouts", "--from-file=ca.crt="+kafkatest.NewCA(s.T).File,
		"--from-file=user.crt="+pair.CertFile, "--from-file=user.key="+pair.KeyFile, "--from-literal=user.password=store",
		"--from-literal=password="+password,
		fmt.Sprintf("--from-literal=sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=%q password=%q;", user, password))
	payouts.run(s, withKafka(manifest(payouts.name, ""), fmt.Sprintf(`    bootstrapServers: ["%s:%d"]
    tls:
      ca:
      - secretRef: {name: shop-cluster-ca-cert}
      certificateSecretRef: {name: payouts, key: user.crt}
      keySecretRef: {name: payouts, key: user.key}
    sasl:
      mechanism: SCRAM-SHA-512
      username: %s
      passwordSecretRef: {name: payouts, key: password}
`, cluster.NodeAddress, mutualPort, user)))
	s.kubectl("delete", "sp", payouts.name, "--wait=false")
}
