package telemetry

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// TestTroubledNamesThePartitionsInTrouble: the answer has the partitions in trouble, the
// worst first, and the status itself does not change.
func TestTroubledNamesThePartitionsInTrouble(t *testing.T) {
	since := time.Unix(1_700_000_000, 0)
	expressions := &workerstatus.Expressions{Version: "1", Refused: "2", Error: strings.Repeat("e", 2000)}
	processes := &workerstatus.Processes{Connected: 2, FailedRecently: 3, LastError: strings.Repeat("e", 2000)}
	status := workerstatus.Status{Name: "enrich", Expressions: expressions, Processes: processes, Members: []workerstatus.Member{{Generation: 3, Saturation: 0.5, Partitions: []workerstatus.Partition{
		{Partition: 0, State: "running"},
		{Partition: 1, State: "running", OldestUnsettled: &workerstatus.Unsettled{AgeSeconds: 2}},
		{Partition: 2, State: "running", Error: "can't be committed"},
		{Partition: 3, State: "running", OldestUnsettled: &workerstatus.Unsettled{AgeSeconds: 90, LastError: strings.Repeat("x", 2000)}},
		{Partition: 4, State: "running", Loss: &workerstatus.Loss{Offsets: 1}},
		{Partition: 5, State: "halted", HaltedSince: &since, Error: "corrupt"},
	}}}}
	s := serve(t, func(cfg *ServerConfig) { cfg.Status = func() workerstatus.Status { return status } })
	a := get(t, s, "/status?troubled")
	var got workerstatus.Status
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for _, p := range got.Members[0].Partitions {
		ids = append(ids, p.Partition)
	}
	if len(ids) != 4 || ids[0] != 5 || ids[1] != 4 || ids[2] != 3 || ids[3] != 2 {
		t.Errorf("the answer has the partitions %v", ids)
	}
	if m := got.Members[0]; m.Generation != 3 || m.Saturation != 0.5 || a.contentType != "application/json" {
		t.Errorf("%+v, as %s", m, a.contentType)
	}
	if n := len(got.Members[0].Partitions[2].OldestUnsettled.LastError); n > troubleText+3 {
		t.Errorf("an error of %d bytes", n)
	}
	if p := got.Processes; p == nil || p.FailedRecently != 3 || len(p.LastError) > troubleText+3 || len(processes.LastError) != 2000 {
		t.Errorf("the processes are %+v", p)
	}
	if e := got.Expressions; e == nil || e.Version != "1" || e.Refused != "2" || len(e.Error) > troubleText+3 || len(expressions.Error) != 2000 {
		t.Errorf("the expressions are %+v", e)
	}
	if n := len(status.Members[0].Partitions[3].OldestUnsettled.LastError); n != 2000 || status.Members[0].Partitions[5].Partition != 5 {
		t.Error("the status itself has changed")
	}
}

// TestTroubledFitsIntoAnAnswer: the answer stays within its bound, however many
// partitions are in trouble and however long their errors are.
func TestTroubledFitsIntoAnAnswer(t *testing.T) {
	since := time.Unix(1_700_000_000, 0)
	status := workerstatus.Status{Members: make([]workerstatus.Member, 2)}
	for i := range status.Members {
		for id := range int32(5000) {
			status.Members[i].Partitions = append(status.Members[i].Partitions, workerstatus.Partition{
				Partition: id, HaltedSince: &since, Error: strings.Repeat("<&>", 1000),
				OldestUnsettled: &workerstatus.Unsettled{AgeSeconds: 99, LastError: strings.Repeat("\x01", 1000)},
			})
		}
	}
	content, err := encodeTroubled(status)
	if err != nil || len(content) > MaxTroubled {
		t.Errorf("%d bytes, error %v", len(content), err)
	}
	if !strings.Contains(string(content), `"partition":1`) {
		t.Error("the answer has no partition")
	}
}
