package fetch

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/kafka"
)

func clientOf(t *testing.T, servers ...string) *kafka.Client {
	t.Helper()
	c, err := kafka.NewClient(kafka.ClientConfig{BootstrapServers: servers, ClientID: "test"})
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}
