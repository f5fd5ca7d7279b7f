package produce

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// mute is kfake's listeners. While it is on, the second broker accepts connections and
// never answers.
type mute struct {
	listeners atomic.Int32
	on        atomic.Bool
}

func (m *mute) listen(network, address string) (net.Listener, error) {
	listener, err := net.Listen(network, address)
	if m.listeners.Add(1) != 2 {
		return listener, err
	}
	return muteListener{listener, m}, err
}

type muteListener struct {
	net.Listener
	m *mute
}

func (l muteListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &muteConn{conn, l.m}, err
}

type muteConn struct {
	net.Conn
	m *mute
}

// Read hides the bytes that come while the broker is mute.
func (c *muteConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for c.m.on.Load() && err == nil {
		n, err = c.Conn.Read(b)
	}
	return n, err
}

// A broker that takes connections and never answers holds up no others: the batches that
// were never sent to it wait for a later transaction.
func TestRecordsForASilentBrokerArePostponed(t *testing.T) {
	var m mute
	w, fake := newTroubled(t, Config{}, kfake.ListenFn(m.listen))
	for range 100 {
		if fake.Faults.CoordinatorFor(w.id) == 0 {
			break
		}
		fake.Faults.RehashCoordinators()
	}
	w.begin()
	m.on.Store(true)
	late := w.write(1, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	good := w.write(0, 10)
	w.commit()
	if w.settled() != 1 {
		t.Errorf("%d records are settled, want the one of the other broker", w.settled())
	}
	m.on.Store(false)
	testkit.Await(t, "the broker answers again", func() bool { return w.settled() == 2 })
	w.commit()
	w.expectCommitted(0, good)
	w.expectCommitted(1, late)
	w.expectClean()
}
