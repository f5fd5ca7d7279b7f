package engine_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestApacheSessionsEndUnnoticed: brokers end sessions after a few seconds, and no request
// of a worker fails, with every mechanism of authentication.
func TestApacheSessionsEndUnnoticed(t *testing.T) {
	const session = 4 * time.Second
	user := kafkatest.User{Mechanism: "PLAIN", Name: "worker", Password: "s3cret"}
	for _, mechanism := range []config.Mechanism{config.Plain, config.OAuthBearer} {
		t.Run(string(mechanism), func(t *testing.T) {
			r, broker := apacheRig(t, 2, kafkatest.Users(user), kafkatest.Tokens(), kafkatest.Reauthenticate(session))
			r.cfg.Telemetry.LogLevel = config.LogDebug
			connect := asUser(t, broker, user)
			if mechanism == config.OAuthBearer {
				file := filepath.Join(t.TempDir(), "token")
				if err := os.WriteFile(file, []byte(kafkatest.Token(t, "worker", time.Hour)), 0o600); err != nil {
					t.Fatal(err)
				}
				connect = func(c *config.Config) {
					c.Kafka.BootstrapServers = broker.SecureAddrs()
					c.Kafka.SASL = &config.SASL{Mechanism: config.OAuthBearer, OAuth: &config.OAuth{TokenFile: file}}
				}
			}
			r.produce(0, 100, 10)
			w := r.start(identity, connect)
			r.awaitSettled(w)
			before, n := len(w.log.lines("error=")), 100
			for start := time.Now(); time.Since(start) < 3*session; n += 100 {
				r.produce(n, 100, 10)
				r.awaitSettled(w)
			}
			if lines := w.log.lines("error=")[before:]; len(lines) > 0 {
				t.Errorf("requests have failed: %q", lines)
			}
			if failed, rebalances := w.metrics.CommitsFailed.Value(), w.metrics.Rebalances.Value(); failed != 0 || rebalances != 1 {
				t.Errorf("%d commits have failed, and %d rebalances, want none and one", failed, rebalances)
			}
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
		})
	}
}
