package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

const samples = "../../config/samples"

func TestSampleAccessLogAlerts(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", filepath.Join(samples, "access-log-alerts.yaml"),
		"--input-file", filepath.Join(samples, "data", "access.jsonl.zst"), "--until-drained")
	if o.err != nil {
		t.Fatal(o.err)
	}
	read, problems, malformed := countAccessLog(t)
	if s := o.summary; s.RecordsIn != read || s.RecordsOut != problems || s.RecordsDeadLettered != malformed || s.RecordsFiltered != read-problems-malformed {
		t.Errorf("summary %+v, want %d read, %d written, %d dead-lettered", s, read, problems, malformed)
	}
	if int64(len(o.lines)) != problems {
		t.Fatalf("%d lines written, want %d", len(o.lines), problems)
	}
	var alert struct {
		Severity, Client, Route string
		Status                  int
		DurationMS              float64 `json:"duration_ms"`
		Source                  struct{ Partition, Offset *int64 }
	}
	for _, line := range o.lines {
		if err := json.Unmarshal([]byte(line), &alert); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if (alert.Status >= 500) != (alert.Severity == "error") || alert.Status < 500 && alert.DurationMS < 300 || alert.Client == "" || alert.Source.Offset == nil {
			t.Fatalf("not an alert: %s", line)
		}
	}
}

// countAccessLog counts the log's lines by the rules of the sample's expressions.
func countAccessLog(t *testing.T) (read, problems, malformed int64) {
	t.Helper()
	for _, line := range readLines(t, filepath.Join(samples, "data", "access.jsonl.zst")) {
		var entry struct {
			Status     *int     `json:"status"`
			DurationMS *float64 `json:"duration_ms"`
		}
		read++
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Status == nil || entry.DurationMS == nil {
			malformed++
		} else if *entry.Status >= 500 || *entry.DurationMS >= 300 {
			problems++
		}
	}
	return read, problems, malformed
}

func TestSampleLanguage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "language")
	if out, err := exec.Command("go", "build", "-o", program, samples+"/language").CombinedOutput(); err != nil {
		t.Fatalf("build the sample: %v\n%s", err, out)
	}
	data := filepath.Join(samples, "data", "messages.jsonl.zst")
	o := millraceRun(testContext(t), t, nil, "-f", filepath.Join(samples, "language", "language.yaml"), "--exec", program,
		"--input-file", data, "--until-drained", "--replicas", "2")
	if o.err != nil {
		t.Fatal(o.err)
	}
	var valid int
	messages := readLines(t, data)
	for _, line := range messages {
		if json.Valid([]byte(line)) {
			valid++
		}
	}
	if s := o.summary; s.RecordsOut != int64(valid) || s.RecordsDeadLettered != int64(len(messages)-valid) || len(o.lines) != valid {
		t.Errorf("%d lines, summary %+v, want %d of %d messages to be readable", len(o.lines), s, valid, len(messages))
	}
	languages := map[string]int{}
	for _, line := range o.lines {
		var m struct{ Language string }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		languages[m.Language]++
	}
	if len(languages) != 8 || languages["en"] < valid/4 {
		t.Errorf("languages %v, want 8 of them, and English most", languages)
	}
}
