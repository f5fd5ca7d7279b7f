package podwatch

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzAnswer takes any bytes for the answer of a pod, which may run a user's program.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"topic": "orders", "partitions": 12, "members": [{"generation": 4, "state": "running", "saturation": 0.5, "partitions": [` +
		`{"partition": 1, "state": "halted", "haltedSince": "2026-01-02T03:04:05Z", "error": "why"},` +
		`{"partition": 2, "loss": {"from": 1, "to": 9, "reason": "Retention", "at": "2026-01-02T03:04:05Z"}},` +
		`{"partition": 3, "oldestUnsettled": {"offset": 7, "ageSeconds": 90, "since": "2026-01-02T03:04:05Z", "attempts": 3, "keyHash": "aa", "lastError": "no"}}]}]}`))
	f.Add([]byte(`{"members": null}`))
	f.Add([]byte(`{"members": [{"partitions": {}}]}`))
	f.Add([]byte(`{"partitions": 1e9, "members": [{"saturation": 1e300}, {"partitions": [{"partition": -1}]}]}`))
	at := time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, content []byte) {
		var a answer
		if json.Unmarshal(content, &a) != nil {
			return
		}
		r := a.report("pod", at)
		if r.members > maxListed || r.partitions > maxPartitions || len(r.stuck) > maxKept || len(r.losses) > maxKept {
			t.Errorf("the report has more than it may: %+v", r)
		}
	})
}
