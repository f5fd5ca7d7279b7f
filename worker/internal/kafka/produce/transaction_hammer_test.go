package produce

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestTransactionsUnderFire has goroutines append while another one ends transactions or
// gives them up at random, and the broker's answers go wrong. Then read_committed readers
// have to see exactly the records that were acknowledged in committed transactions.
func TestTransactionsUnderFire(t *testing.T) {
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprintf("version %d, lost answers and retries", version), func(t *testing.T) {
			hammerTransactions(t, version, func(tr *disturbance) {
				tr.loseAnswers()
				tr.fail(
					kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut,
					kerr.UnknownTopicOrPartition, kerr.KafkaStorageError, kerr.CorruptMessage, kerr.UnknownServerError,
				)
			})
		})
		// These are true only of a batch that was not stored before.
		t.Run(fmt.Sprintf("version %d, refusals", version), func(t *testing.T) {
			hammerTransactions(t, version, func(tr *disturbance) {
				tr.fail(
					kerr.MessageTooLarge, kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.NotLeaderForPartition,
					kerr.InvalidRecord, kerr.ConcurrentTransactions, kerr.NotEnoughReplicas, kerr.RecordListTooLarge,
					kerr.TransactionAbortable, kerr.LeaderNotAvailable,
				)
				tr.failToAdd(kerr.ConcurrentTransactions, kerr.NotCoordinator, kerr.UnknownTopicOrPartition, kerr.InvalidTxnState)
			})
		})
	}
}

// TestTransactionsOnKafka is TestTransactionsUnderFire without faults, but on brokers that
// check more than the embedded one does.
func TestTransactionsOnKafka(t *testing.T) {
	for _, cluster := range clusters[2:] {
		t.Run(cluster.name, func(t *testing.T) {
			h := newTransactionHammer(t, cluster.start(t), 300)
			h.run(func() {})
			h.finish()
		})
	}
}

// failToAdd makes kfake refuse to add partitions to a transaction now and then.
func (tr *disturbance) failToAdd(codes ...*kerr.Error) {
	for _, code := range codes {
		tr.fake.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Err: code, Count: -1,
			When: func(kmsg.Request) bool { return tr.roll(30) == 0 },
		})
	}
}

// ending is what became of a transaction.
type ending int

const (
	committed ending = iota
	givenUp
	unknown // the answer was lost: all of it is committed, or nothing
)

// history is what became of each record that was acknowledged, by its transaction.
type history struct {
	records []int32
	end     ending
}

type transactionHammer struct {
	*transacting
	seed   uint64
	random *rand.Rand
	gate   sync.RWMutex // held for reading by appenders
	past   []history
	ends   map[ending]int
	each   int32 // records of an appender
}

// hammerTransactions runs on the embedded broker, whose leaders move.
func hammerTransactions(t *testing.T, version int, start func(*disturbance)) {
	t.Helper()
	var loss lossy
	opts := []kfake.Opt{kfake.NumBrokers(3), kfake.ListenFn(loss.listen)}
	if version == 1 {
		opts = append(opts, versionOne)
	}
	fake := kafkatest.Fake(t, opts...)
	h := newTransactionHammer(t, &fake.Cluster, 1500)
	tr := &disturbance{fake: fake, loss: &loss, random: rand.New(rand.NewPCG(h.seed, 1))}
	start(tr)
	h.run(func() {
		if err := fake.Faults.MoveTopicPartition(h.topic, h.random.Int32N(hammerPartitions), h.random.Int32N(3)); err != nil {
			t.Error(err)
		}
	})
	tr.end()
	loss.armed.Store(0)
	h.finish()
}

const hammerPartitions, hammerAppenders = 6, 6

func newTransactionHammer(t *testing.T, c *kafkatest.Cluster, each int32) *transactionHammer {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	topic := testkit.UniqueName("hammered")
	c.CreateTopic(topic, hammerPartitions, nil)
	codecs := []config.Compression{config.None, config.LZ4, config.Zstd, config.Snappy}
	h := &transactionHammer{seed: seed, random: random, each: each, ends: map[ending]int{}}
	h.transacting = newTransacting(t, c, topic, Config{
		MaxBatchBytes: 1000 + random.IntN(4000), MaxBufferedBytes: 64 << 10, Linger: time.Duration(random.IntN(4)) * time.Millisecond,
		Compression: codecs[random.IntN(len(codecs))],
	})
	h.appenders, h.next, h.loose = hammerAppenders, hammerAppenders*each, 2
	return h
}

// run ends transactions until all records are appended. It calls disturb now and then.
func (h *transactionHammer) run(disturb func()) {
	h.begin()
	var all sync.WaitGroup
	for a := range int32(hammerAppenders) {
		dice := rand.New(rand.NewPCG(h.seed, uint64(a)+2))
		all.Go(func() {
			for i := range h.each {
				h.appendOne(a, a+i*hammerAppenders, dice)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for {
		select {
		case <-done:
			return
		case <-h.dooms:
			h.giveUp()
		case <-time.After(time.Duration(h.random.IntN(30)) * time.Millisecond):
			h.turn()
		}
		if h.random.IntN(3) == 0 {
			disturb()
		}
	}
}

// finish commits the records that are left, and compares the committed ones with history.
func (h *transactionHammer) finish() {
	h.t.Helper()
	for h.left() > 0 {
		h.endOne(writeContext(h.t))
	}
	h.expectEmpty()
	h.checkHistory()
	h.t.Logf("transactions by their end: %v", h.ends)
	if h.t.Failed() {
		h.t.Errorf("seed %d", h.seed)
	}
}

// left returns how many records are in no transaction that is over.
func (h *transactionHammer) left() int {
	records, _ := h.p.Buffered()
	h.mu.Lock()
	defer h.mu.Unlock()
	return records + len(h.acks)
}

func (h *transactionHammer) appendOne(a, n int32, dice *rand.Rand) {
	h.gate.RLock()
	defer h.gate.RUnlock()
	to := At(dice.Uint32N(hammerPartitions))
	if a < h.loose {
		to = Anywhere(to.n)
	}
	m := &batch.Message{Value: fmt.Appendf(nil, "%d/%s", n, strings.Repeat("x", dice.IntN(400))), Timestamp: time.Now().UnixMilli()}
	origin := batch.Origin{Owner: h.writing, Index: n, Joint: dice.IntN(20) == 0}
	if err := h.w.Append(h.t.Context(), to, m, origin); err != nil {
		h.t.Errorf("append record %d: %v", n, err)
	}
}

// turn ends the transaction in a random way.
func (h *transactionHammer) turn() {
	switch h.random.IntN(10) {
	case 0:
		h.giveUp()
	case 1: // hardly any time for the flush
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Duration(h.random.IntN(3))*time.Millisecond)
		defer cancel()
		h.endOne(ctx)
	default:
		h.endOne(writeContext(h.t))
	}
}

// endOne cuts, flushes and commits.
func (h *transactionHammer) endOne(ctx context.Context) {
	h.p.PrepareCut()
	h.gate.Lock()
	anything := h.p.Cut()
	h.gate.Unlock()
	if err := h.p.FlushCut(ctx); err != nil {
		h.giveUp()
		return
	}
	records := h.take()
	if len(records) > 0 && !anything {
		h.t.Errorf("%d records are acknowledged in a transaction without any", len(records))
	}
	if !anything {
		h.p.Resume(h.session)
		return
	}
	if err := h.session.End(writeContext(h.t), true); err != nil {
		h.t.Logf("end: %v", err)
		h.note(records, unknown)
		h.giveUp()
		return
	}
	h.note(records, committed)
	if more := h.take(); len(more) > 0 {
		h.t.Errorf("%d records are acknowledged behind the cut", len(more))
	}
	h.p.Resume(h.session)
}

// giveUp resets.
func (h *transactionHammer) giveUp() {
	h.p.PrepareCut()
	h.gate.Lock()
	defer h.gate.Unlock()
	h.p.Reset()
	h.note(h.take(), givenUp)
	h.expectEmpty()
	for len(h.dooms) > 0 {
		<-h.dooms
	}
	h.begin()
}

// take returns the records that were acknowledged since the last call.
func (h *transactionHammer) take() []int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	records := slices.Sorted(maps.Keys(h.acks))
	clear(h.acks)
	return records
}

func (h *transactionHammer) note(records []int32, end ending) {
	h.ends[end]++
	h.past = append(h.past, history{records, end})
}

// committedRecords returns what readers see once the last transaction's markers are written.
func (h *transactionHammer) committedRecords() (records []*kgo.Record) {
	h.t.Helper()
	want := 0
	for _, past := range h.past {
		if past.end == committed {
			want += len(past.records)
		}
	}
	for deadline := time.Now().Add(testkit.Patience); len(records) < want && time.Now().Before(deadline); {
		records = h.cluster.ConsumeAll(h.topic, kgo.ReadCommitted())
	}
	return records
}

func (h *transactionHammer) checkHistory() {
	h.t.Helper()
	type order struct{ partition, appender int32 }
	last, seen := map[order]int32{}, map[int32]*kgo.Record{}
	for _, rec := range h.committedRecords() {
		n := number(h.t, rec)
		row := order{rec.Partition, n % h.appenders}
		if before, ok := last[row]; ok && before >= n && row.appender >= h.loose {
			h.t.Errorf("partition %d: record %d comes after %d", rec.Partition, n, before)
		}
		if seen[n] != nil {
			h.t.Errorf("record %d is committed twice", n)
		}
		seen[n], last[row] = rec, n
	}
	for i, past := range h.past {
		found := 0
		identities := map[batch.Identity]bool{}
		for _, n := range past.records {
			if rec := seen[n]; rec != nil {
				found++
				identities[batch.Identity{ID: rec.ProducerID, Epoch: rec.ProducerEpoch}] = true
				delete(seen, n)
			}
		}
		switch {
		case past.end == committed && found != len(past.records):
			h.t.Errorf("transaction %d: %d of %d records are committed", i, found, len(past.records))
		case past.end == givenUp && found > 0:
			h.t.Errorf("transaction %d was given up, and %d of its records are committed", i, found)
		case found != 0 && found != len(past.records):
			h.t.Errorf("transaction %d is torn: %d of %d records are committed", i, found, len(past.records))
		case len(identities) > 1:
			h.t.Errorf("transaction %d has records of %d identities", i, len(identities))
		}
	}
	for n := range seen {
		h.t.Errorf("record %d is committed and was not acknowledged", n)
	}
}
