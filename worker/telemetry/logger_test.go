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
			t.Errorf("%q does not say %s", buf.String(), want)
		}
	}
	buf.Reset()
	if log.V(1).Info("details"); buf.Len() > 0 {
		t.Errorf("details are logged: %q", buf.String())
	}
}
