package telemetry

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
)

// The rate at which a Limited writes lines of one kind, and how many it writes at once.
const (
	linesPerSecond = 2
	linesAtOnce    = 5
)

// Limited logs events that may happen with each record. Lines with the same message are
// of one kind, and it writes a few lines of each kind a second. It counts the others,
// and logs once a second how many it has left out. At LogDebug it leaves out none. It is
// safe for concurrent use.
type Limited struct {
	log logr.Logger

	mu     sync.Mutex
	kinds  map[string]*limitedKind // by message; guarded by mu
	closed bool                    // guarded by mu
}

// limitedKind is the state of one kind of lines. Limited.mu guards it.
type limitedKind struct {
	limiter *rate.Limiter
	omitted int         // lines left out since the last report
	report  *time.Timer // calls reportOmitted; nil if no line was left out
}

// NewLimited returns a Limited that writes to log.
func NewLimited(log logr.Logger) *Limited {
	return &Limited{log: log, kinds: make(map[string]*limitedKind)}
}

// Info logs a line, or counts it.
func (l *Limited) Info(message string, keysAndValues ...any) {
	if l.log.V(1).Enabled() || l.allow(message) {
		l.log.Info(message, keysAndValues...)
	}
}

// Error logs an error, or counts its line.
func (l *Limited) Error(err error, message string, keysAndValues ...any) {
	if l.log.V(1).Enabled() || l.allow(message) {
		l.log.Error(err, message, keysAndValues...)
	}
}

// Always logs a line in any case.
func (l *Limited) Always(message string, keysAndValues ...any) {
	l.log.Info(message, keysAndValues...)
}

func (l *Limited) allow(message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[message]
	if k == nil {
		k = &limitedKind{limiter: rate.NewLimiter(linesPerSecond, linesAtOnce)}
		l.kinds[message] = k
	}
	if k.limiter.Allow() {
		return true
	}
	k.omitted++
	if k.report == nil && !l.closed {
		k.report = time.AfterFunc(time.Second, func() { l.reportOmitted(message, k) })
	}
	return false
}

// reportOmitted logs how many lines of a kind Limited has left out.
func (l *Limited) reportOmitted(message string, k *limitedKind) {
	l.mu.Lock()
	omitted := k.omitted
	k.omitted, k.report = 0, nil
	l.mu.Unlock()
	if omitted > 0 {
		l.log.Info("left out log lines of one kind; the log level Debug shows all", "kind", message, "lines", omitted)
	}
}

// Close logs how many lines of each kind Limited has left out since the last reports.
// No timer writes a line afterwards.
func (l *Limited) Close() {
	l.mu.Lock()
	l.closed = true
	kinds := make(map[string]*limitedKind, len(l.kinds))
	for message, k := range l.kinds {
		if k.report == nil || k.report.Stop() {
			kinds[message] = k
		}
	}
	l.mu.Unlock()
	for message, k := range kinds {
		l.reportOmitted(message, k)
	}
}
