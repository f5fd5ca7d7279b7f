package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

// TestSampleLanguagePython: the model in the Python sample labels the shipped messages, many of
// them in a call.
func TestSampleLanguagePython(t *testing.T) {
	manifest := filepath.Join(samples, "language-python.yaml")
	data := filepath.Join(samples, "data", "messages.jsonl.zst")
	args := withCommand(t, manifest, "-f", manifest, "--input-file", data, "--until-drained")
	o := millraceRun(testContext(t), t, nil, args...)
	if o.err != nil {
		t.Fatal(o.err)
	}
	const valid, malformed = 39_960, 40
	if s := o.summary; s.RecordsOut != valid || s.RecordsDeadLettered != malformed || len(o.lines) != valid {
		t.Errorf("%d lines, summary %+v, want %d written and %d dead letters", len(o.lines), s, valid, malformed)
	}
	labels := map[string]string{} // by the message's id
	counts := map[string]int{}
	for _, line := range o.lines {
		var m struct {
			ID, Text, Label string
			Score           float64
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Text == "" || m.Score <= 0.5 || m.Score > 1 {
			t.Fatalf("%s: error %v", line, err)
		}
		labels[m.ID] = m.Label
		counts[m.Label]++
	}
	if len(counts) != 8 || counts["en"] < valid/4 {
		t.Errorf("labels %v, want 8 of them, and English most", counts)
	}
	for id, want := range map[string]string{
		"m-000890": "de", "m-001655": "en", "m-000443": "es", "m-000021": "fr",
		"m-000001": "it", "m-000003": "nl", "m-003696": "pt", "m-025412": "sv",
	} {
		if labels[id] != want {
			t.Errorf("message %s is labelled %q, want %q", id, labels[id], want)
		}
	}
	// Each process logs how much it has done.
	messages, batches := 0, 0
	for _, m := range regexp.MustCompile(`classified (\d+) messages in (\d+) batches`).FindAllStringSubmatch(o.stderr, -1) {
		n, _ := strconv.Atoi(m[1]) // the pattern has digits
		messages += n
		n, _ = strconv.Atoi(m[2])
		batches += n
	}
	if messages < valid || batches == 0 || messages/batches < 16 {
		t.Errorf("%d messages in %d batches, want all, and many in each", messages, batches)
	}
}
