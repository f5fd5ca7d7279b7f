package telemetry

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
)

// The rate at which a Limited writes lines of one kind, and how many of them may
// come at once.
const (
	linesPerSecond = 2
	linesAtOnce    = 5
)

// Limited logs events that may happen with each record. Lines with the same
// message are of one kind, of which it writes a few a second. It counts the others
// and says once a second how many it has left out. At LogDebug it leaves out
// nothing. It is safe for concurrent use.
type Limited struct {
	log logr.Logger

	mu     sync.Mutex
	kinds  map[string]*limitedKind // by message; guarded by mu
	closed bool                    // guarded by mu
}

// limitedKind is guarded by the mu of its Limited.
type limitedKind struct {
	limiter *rate.Limiter
	omitted int // lines since report was set
	report  *time.Timer
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

// Always logs a line that must not be left out.
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
		k.report = time.AfterFunc(time.Second, func() { l.tell(message, k) })
	}
	return false
}

// tell says how many lines were left out.
func (l *Limited) tell(message string, k *limitedKind) {
	l.mu.Lock()
	omitted := k.omitted
	k.omitted, k.report = 0, nil
	l.mu.Unlock()
	if omitted > 0 {
		l.log.Info("left out log lines of one kind; the log level Debug shows all", "kind", message, "lines", omitted)
	}
}

// Close says how many lines were left out. After it no timer writes anything.
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
		l.tell(message, k)
	}
}
