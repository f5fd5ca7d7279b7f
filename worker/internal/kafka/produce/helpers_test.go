package produce

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/kafka"
)

func newTestClient(t *testing.T, cfg kafka.ClientConfig) *kafka.Client {
	t.Helper()
	cfg.ClientID = "test"
	c, err := kafka.NewClient(cfg)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}
