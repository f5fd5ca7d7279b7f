package telemetry

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

func TestLossesAreCountedByPartitionAndReason(t *testing.T) {
	m := NewMetrics("orders")
	if loss := m.OffsetsLost.Of(3); loss != nil {
		t.Fatalf("a loss before any: %+v", loss)
	}
	m.OffsetsLost.Add(3, 10, 100, 110, workerstatus.LossRetention)
	m.OffsetsLost.Add(3, 5, 200, 210, workerstatus.LossTruncated)
	m.OffsetsLost.Add(4, 0, 7, 7, workerstatus.LossTopicRecreated)

	loss := m.OffsetsLost.Of(3)
	if loss == nil || loss.Offsets != 15 || loss.From != 200 || loss.To != 210 || loss.Reason != workerstatus.LossTruncated || loss.At.IsZero() {
		t.Errorf("got %+v, want 15 offsets in all, the last ones from 200 to 210, truncated", loss)
	}
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`millrace_offsets_lost_total{partition="3",reason="Retention",topic="orders"} 10`,
		`millrace_offsets_lost_total{partition="3",reason="Truncated",topic="orders"} 5`,
		`millrace_offsets_lost_total{partition="4",reason="TopicRecreated",topic="orders"} 0`,
	} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
