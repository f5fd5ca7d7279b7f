package kafka

import (
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// renamed is a mechanism under a name that brokers don't know.
type renamed struct{ sasl.Mechanism }

func (renamed) Name() string { return "SCRAM-SHA-1" }

func TestSASLWithoutTLS(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			cluster := kafkatest.Fake(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "user", "pencil"))
			right := &SASL{Mechanism: mechanism, Username: "user", Password: "pencil"}
			wrong := &SASL{Mechanism: mechanism, Username: "user", Password: "pen"}
			if err := newTestClient(t, ClientConfig{BootstrapServers: cluster.Addrs(), SASL: right}).Ping(testContext(t)); err != nil {
				t.Errorf("right password: %v", err)
			}
			// kfake refuses by hanging up, as very old brokers do.
			err := newTestClient(t, ClientConfig{BootstrapServers: cluster.Addrs(), SASL: wrong}).Ping(testContext(t))
			expectError(t, err, ErrUnreachable, cluster.Addrs()[0], "SASL authentication failed", `user name "user"`)
		})
	}
}

func TestSASLRefusesWhatSCRAMCantPrepare(t *testing.T) {
	_, err := NewClient(ClientConfig{
		BootstrapServers: []string{"kafka"},
		SASL:             &SASL{Mechanism: "SCRAM-SHA-256", Username: "user", Password: "bell\a"},
	})
	expectError(t, err, nil, "can't use this user name or password", "line breaks")
	// Logs and conditions show the error.
	if strings.Contains(err.Error(), "bell") {
		t.Errorf("the error shows the password: %v", err)
	}
}
