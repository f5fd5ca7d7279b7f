package telemetry

import (
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"golang.org/x/term"

	"github.com/millrace-dev/millrace/worker/config"
)

// NewLogger returns a logger that writes to w. LogAuto writes text to a
// terminal and JSON elsewhere.
func NewLogger(format config.LogFormat, w io.Writer) logr.Logger {
	if format == config.LogText || format != config.LogJSON && isTerminal(w) {
		return logr.FromSlogHandler(slog.NewTextHandler(w, nil))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(w, nil))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
