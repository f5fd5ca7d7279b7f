package produce

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// transacting is a transactional Producer under test.
type transacting struct {
	*writing
	cluster *kafkatest.Cluster
	id      string
	session *txn.Session
	dooms   chan string // the reasons
}

func newTransacting(t testing.TB, c *kafkatest.Cluster, topic string, cfg Config) *transacting {
	t.Helper()
	w := &transacting{cluster: c, id: "id-of-" + topic, dooms: make(chan string, 100)}
	cfg.Transactional = true
	cfg.OnDoomed = func(reason string, err error) {
		t.Logf("doomed (%s): %v", reason, err)
		w.dooms <- reason
	}
	w.writing = newWritingTo(t, topic, c.Addrs(), cfg)
	return w
}

// begin opens a session for the transactional id, which ends the former one, and resumes.
func (w *transacting) begin() {
	w.t.Helper()
	w.open()
	w.p.Resume(w.session)
}

func (w *transacting) open() {
	w.t.Helper()
	cfg := txn.Config{TransactionalID: w.id, Timeout: 10 * time.Second, Former: txn.NoProducer, Logger: w.log.Logger()}
	if w.session != nil {
		cfg.Former = w.session.Identity()
	}
	var err error
	if w.session, err = txn.Open(writeContext(w.t), w.client, cfg); err != nil {
		w.t.Fatal(err)
	}
}

// end cuts, flushes and commits.
func (w *transacting) end() {
	w.t.Helper()
	if !w.p.Cut() {
		return
	}
	if err := w.p.FlushCut(writeContext(w.t)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.session.End(writeContext(w.t), true); err != nil {
		w.t.Fatal(err)
	}
}

func (w *transacting) commit() {
	w.t.Helper()
	w.end()
	w.p.Resume(w.session)
}

// committed returns the numbers of the records that read_committed readers see in a
// partition.
func (w *transacting) committed(partition int32) []int32 {
	w.t.Helper()
	var found []int32
	for _, rec := range w.cluster.ConsumeAll(w.topic, kgo.ReadCommitted()) {
		if rec.Partition == partition {
			found = append(found, number(w.t, rec))
		}
	}
	return found
}

func number(t testing.TB, rec *kgo.Record) (n int32) {
	t.Helper()
	text, _, _ := strings.Cut(string(rec.Value), "/")
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("offset %d holds %q", rec.Offset, rec.Value)
	}
	return n
}

// expectCommitted waits until readers see the records: the markers of a transaction are
// written after its end is acknowledged.
func (w *transacting) expectCommitted(partition int32, want ...int32) {
	w.t.Helper()
	var got []int32
	for deadline := time.Now().Add(testkit.Patience); time.Now().Before(deadline); {
		if got = w.committed(partition); len(got) >= len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("partition %d: records %v are committed, want %v", partition, got, want)
	}
}

func (w *transacting) writeJoint(partition int32) int32 {
	w.t.Helper()
	n := w.number()
	m := &batch.Message{Value: fmt.Appendf(nil, "%d/", n)}
	if err := w.w.Append(writeContext(w.t), At(uint32(partition)), m, batch.Origin{Owner: w.writing, Index: n, Joint: true}); err != nil {
		w.t.Errorf("append record %d: %v", n, err)
	}
	return n
}

// clusters are the brokers to test on, with the version of the transaction protocol.
var clusters = []struct {
	name    string
	version int
	start   func(*testing.T) *kafkatest.Cluster
}{
	{"embedded, version 1", 1, func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Fake(t, versionOne).Cluster }},
	{"embedded", 2, func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Fake(t).Cluster }},
	{"Kafka 3.9", 1, func(t *testing.T) *kafkatest.Cluster {
		return &kafkatest.Shared(t, kafkatest.Release(kafkatest.Kafka39)).Cluster
	}},
	{"Kafka", 2, func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Shared(t).Cluster }},
	{"Kafka 4.4", 2, func(t *testing.T) *kafkatest.Cluster {
		return &kafkatest.Shared(t, kafkatest.Release(kafkatest.Kafka44)).Cluster
	}},
}

// versionOne makes kfake know version 1 of the transaction protocol only.
var versionOne = kfake.MaxVersions(kversion.V3_9_0())

func TestATransactionHoldsWhatWasAppendedBeforeItsCut(t *testing.T) {
	for _, cluster := range clusters {
		t.Run(cluster.name, func(t *testing.T) { holdsWhatWasAppended(t, cluster.start(t), cluster.version) })
	}
}

func holdsWhatWasAppended(t *testing.T, c *kafkatest.Cluster, version int) {
	t.Helper()
	c.CreateTopic("held", 2, nil)
	w := newTransacting(t, c, "held", Config{})
	early := w.write(0, 10)
	w.begin()
	if got := w.session.Version(); got != version {
		t.Errorf("version %d of the protocol, want %d", got, version)
	}
	first := w.write(0, 10)
	w.end()
	if w.settled() != 2 {
		t.Errorf("%d records are settled, want 2", w.settled())
	}
	second := w.write(0, 10)
	w.write(1, 10)
	w.expectCommitted(0, early, first)
	if w.settled() != 2 || w.p.SentBytes() == 0 {
		t.Errorf("%d records are settled, %d bytes sent", w.settled(), w.p.SentBytes())
	}
	w.p.Resume(w.session)
	w.commit()
	w.expectCommitted(0, early, first, second)
	w.expectCommitted(1, second+1)
	if w.p.Cut() {
		t.Error("an empty transaction has something to commit")
	}
	w.p.Resume(w.session)
	lost := w.write(0, 10)
	testkit.Await(t, "it is stored", func() bool { return w.settled() == int(lost)+1 })
	w.p.Reset()
	w.write(0, 10)
	w.p.Reset()
	w.begin()
	last := w.write(0, 10)
	w.commit()
	w.expectCommitted(0, early, first, second, last)
	w.expectClean()
}
