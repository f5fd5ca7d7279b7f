package telemetry

import (
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"golang.org/x/term"

	"github.com/millrace-dev/millrace/worker/config"
)

// NewLogger returns a logger with the level LogInfo. See NewLoggerAt.
func NewLogger(format config.LogFormat, w io.Writer) logr.Logger {
	return NewLoggerAt(config.LogInfo, format, w)
}

// NewLoggerAt returns a logger that writes to w. LogAuto writes text to a
// terminal and JSON elsewhere.
func NewLoggerAt(level config.LogLevel, format config.LogFormat, w io.Writer) logr.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: plainLevel}
	if level == config.LogDebug {
		options.Level = slog.LevelDebug
	}
	if format == config.LogText || format != config.LogJSON && isTerminal(w) {
		return logr.FromSlogHandler(slog.NewTextHandler(w, options))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(w, options))
}

// plainLevel writes the level of logr's V(1) as DEBUG. slog would write DEBUG+3.
func plainLevel(groups []string, a slog.Attr) slog.Attr {
	if level, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey && level < slog.LevelInfo {
		a.Value = slog.StringValue(slog.LevelDebug.String())
	}
	return a
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
