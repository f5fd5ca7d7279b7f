package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// expectError checks that err is what, and names all parts.
func expectError(t *testing.T, err, what error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v", what)
	}
	if what != nil && !errors.Is(err, what) {
		t.Errorf("got %v, want a %v", err, what)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func countMetadata(cluster *kafkatest.FakeCluster, topic string) *kfake.FaultHandle {
	return cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Count: -1, Observe: true,
	})
}

var names atomic.Int64

// uniqueName returns a name that no other test uses, for a broker that tests share.
func uniqueName(name string) string { return fmt.Sprintf("%s-%d", name, names.Add(1)) }
