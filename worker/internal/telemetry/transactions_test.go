package telemetry

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

func TestTransactionsOfAMember(t *testing.T) {
	m := NewMetrics("orders")
	mine, others := m.NewTransactions(), m.NewTransactions()
	mine.Identified("g-orders-3", 2)
	began := time.Now().Add(-time.Minute)
	mine.Began(began)
	mine.Began(time.Now())
	if s := mine.Status(); s.ID != "g-orders-3" || s.Version != 2 || s.OpenSince == nil || !s.OpenSince.Equal(began) || s.OpenSeconds < 60 {
		t.Errorf("an open transaction: %+v", s)
	}
	mine.Committed()
	others.Committed()
	mine.Began(began)
	mine.Aborted("timeout")
	mine.Aborted("fenced")
	mine.Aborted("timeout")

	want := &workerstatus.Transaction{
		ID: "g-orders-3", Version: 2, Committed: 1, Aborted: map[string]int64{"timeout": 2, "fenced": 1},
	}
	if got := mine.Status(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	text := exposition(t, m)
	for _, want := range []string{
		`millrace_transactions_committed_total{topic="orders"} 2`,
		`millrace_transactions_aborted_total{reason="fenced",topic="orders"} 1`,
		`millrace_transactions_aborted_total{reason="timeout",topic="orders"} 2`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestStatusOfTransactionsIsACopy: /status encodes it while the member goes on.
func TestStatusOfTransactionsIsACopy(t *testing.T) {
	transactions := NewMetrics("orders").NewTransactions()
	transactions.Aborted("refused")
	before := transactions.Status()
	transactions.Aborted("refused")
	if before.Aborted["refused"] != 1 {
		t.Error("an abort changed a status that was handed out before")
	}
}

// TestNoTransactionsNoSeries: dashboards of workers without transactions stay as they are.
func TestNoTransactionsNoSeries(t *testing.T) {
	m := NewMetrics("orders")
	m.Watch(func() workerstatus.Status { return workerstatus.Status{Members: []workerstatus.Member{{}}} })
	if text := exposition(t, m); strings.Contains(text, "transaction_") || strings.Contains(text, "transactions_") {
		t.Errorf("the metrics of a worker without transactions have some:\n%s", text)
	}
}
