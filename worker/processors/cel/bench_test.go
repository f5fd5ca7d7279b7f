package cel

import (
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

const accessLine = `{"time":"2026-03-01T00:00:07.143Z","request_id":"7f3a9c","client":"203.0.113.7","method":"GET",` +
	`"path":"/products/1234?ref=home","status":200,"bytes":5120,"duration_ms":37,"user_agent":"Mozilla/5.0 (X11; Linux x86_64)"}`

func sample() *worker.Record {
	return &worker.Record{
		Topic: "in", Offset: 12345678, Key: []byte("key"), Value: []byte(accessLine),
		Headers: []worker.Header{{Key: "h", Value: []byte("v")}},
	}
}

func TestIdentityAllocatesNothing(t *testing.T) {
	p, rec, out := compiled(t, config.CEL{}), sample(), new(worker.Outputs)
	allocs := testing.AllocsPerRun(1000, func() {
		usercode.As[record.Outputs](out).Reset()
		if err := p.Process(t.Context(), rec, out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a record, want 0", allocs)
	}
}

func BenchmarkProcess(b *testing.B) {
	for _, bench := range []struct {
		name string
		cfg  config.CEL
	}{
		{"identity", config.CEL{}},
		{"upper", config.CEL{Value: "string(value).upperAscii()"}},
		{"filter", config.CEL{Filter: "json.status > 300"}},
		{"alert", config.CEL{
			Filter: "json.status >= 200 || json.duration_ms >= 300", Key: "json.client",
			Value: `{"time": json.time, "severity": json.status >= 500 ? "error" : "slow", "route": json.method + " " + json.path.split("?")[0],
				"status": json.status, "duration_ms": json.duration_ms, "robot": json.user_agent.matches("(?i)bot|curl|python")}`,
		}},
		{"loop", config.CEL{Filter: `json.path.split("/").exists(s, s == "admin")`}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, rec, out := compiled(b, bench.cfg), sample(), new(worker.Outputs)
			b.ReportAllocs()
			for b.Loop() {
				usercode.As[record.Outputs](out).Reset()
				if err := p.Process(b.Context(), rec, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
