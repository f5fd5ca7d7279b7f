//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// user is the user of the broker's secure listeners.
const user, password = "millrace", "e2e-password"

// The ports of the broker's listeners in addition to those of kafkatest. One requires a
// certificate and a password, as a listener of Strimzi may; the other accepts all clients
// until doomed closes it.
const (
	mutualPort = 9095
	doomedPort = 9096
)

// startBroker starts the only broker. It has several listeners, which cost less than several
// brokers.
func startBroker(t *testing.T) *kafkatest.Broker {
	t.Helper()
	const mutual = "listener.name.mutual."
	return kafkatest.Apache(t, kafkatest.Listen(cluster.NodeAddress), kafkatest.TLS(), kafkatest.Tokens(),
		kafkatest.Users(kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: user, Password: password}),
		kafkatest.Property("listeners", fmt.Sprintf(
			"PLAIN://%[1]s:9092,SECURE://%[1]s:9093,CONTROLLER://%[1]s:9094,MUTUAL://%[1]s:%[2]d,DOOMED://%[1]s:%[3]d",
			cluster.NodeAddress, mutualPort, doomedPort)),
		kafkatest.Property("listener.security.protocol.map",
			"PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT,MUTUAL:SASL_SSL,DOOMED:PLAINTEXT"),
		kafkatest.Property(mutual+"ssl.client.auth", "required"),
		kafkatest.Property(mutual+"sasl.enabled.mechanisms", "SCRAM-SHA-512"),
		kafkatest.Property(mutual+"scram-sha-512.sasl.jaas.config",
			"org.apache.kafka.common.security.scram.ScramLoginModule required;"),
	)
}
