package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

func TestJSONLog(t *testing.T) {
	for _, format := range []config.LogFormat{config.LogJSON, config.LogAuto} { // a buffer is no terminal
		var buf bytes.Buffer
		log := NewLogger(format, &buf)
		log.Info("drained", "partition", 3, "offset", 17)
		var line struct {
			Time      string
			Level     string
			Msg       string
			Partition int
			Offset    int64
		}
		if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %q", format, err, buf.String())
		}
		if _, err := time.Parse(time.RFC3339, line.Time); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if line.Level != "INFO" || line.Msg != "drained" || line.Partition != 3 || line.Offset != 17 {
			t.Errorf("%s: %q", format, buf.String())
		}
	}
}

func TestTextLog(t *testing.T) {
	var buf bytes.Buffer
	log := NewLogger(config.LogText, &buf).WithValues("member", 1)
	log.Error(errors.New("refused"), "could not commit")
	for _, want := range []string{`msg="could not commit"`, "member=1", "err=refused", "level=ERROR"} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("%q does not contain %s", buf.String(), want)
		}
	}
	buf.Reset()
	if log.V(1).Info("details"); buf.Len() > 0 {
		t.Errorf("the logger wrote details: %q", buf.String())
	}
}

func TestLogLevel(t *testing.T) {
	for level, shown := range map[config.LogLevel]bool{config.LogInfo: false, config.LogDebug: true} {
		for _, format := range []config.LogFormat{config.LogText, config.LogJSON} {
			var buf bytes.Buffer
			log := NewLoggerAt(level, format, &buf)
			log.V(1).Info("a detail")
			if got := strings.Contains(buf.String(), "a detail"); got != shown {
				t.Errorf("%s, %s: details are shown: %v, want %v", level, format, got, shown)
			}
			if shown && (!strings.Contains(buf.String(), "DEBUG") || strings.Contains(buf.String(), "DEBUG+")) {
				t.Errorf("%s: %q has another level than DEBUG", format, buf.String())
			}
			log.Info("a change")
			if !strings.Contains(buf.String(), "a change") || !strings.Contains(buf.String(), "INFO") {
				t.Errorf("%s, %s: %q has no line of level INFO", level, format, buf.String())
			}
		}
	}
}
