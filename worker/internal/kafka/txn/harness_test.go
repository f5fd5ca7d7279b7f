package txn_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// everywhere runs a test on the embedded broker, and on the releases of Apache Kafka and
// both versions of the protocol.
func everywhere(t *testing.T, test func(t *testing.T, c *kafkatest.Cluster, version int)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, &kafkatest.Fake(t).Cluster, 2) })
	onApache(t, test)
}

func onApache(t *testing.T, test func(t *testing.T, c *kafkatest.Cluster, version int)) {
	t.Helper()
	for _, broker := range []struct {
		name    string
		options []kafkatest.Option
		version int
	}{
		{"default", nil, 2},
		{"version 1", []kafkatest.Option{kafkatest.Feature("transaction.version", 0)}, 1},
		{kafkatest.Kafka44, []kafkatest.Option{kafkatest.Release(kafkatest.Kafka44)}, 2},
		{kafkatest.Kafka39, []kafkatest.Option{kafkatest.Release(kafkatest.Kafka39)}, 1},
	} {
		t.Run(broker.name, func(t *testing.T) {
			test(t, &kafkatest.Shared(t, broker.options...).Cluster, broker.version)
		})
	}
}

// worker is a transactional producer with its topics, group and connections.
type worker struct {
	*txn.Session
	t             *testing.T
	cluster       *kafkatest.Cluster
	network       network
	client        *kafka.Client
	cfg           txn.Config
	input, output string
	group         string
	raw           *kgo.Client
	producer      *kgo.Client              // of a version that fits
	sequence      map[batch.Identity]int32 // of partition 0 of the output
	committed     int                      // transactions that expectTogether has found committed
}

// newWorker creates topics and a transactional id. It does not open the session.
func newWorker(t *testing.T, c *kafkatest.Cluster, change ...func(*txn.Config)) *worker {
	t.Helper()
	name := testkit.UniqueName("txn")
	w := &worker{
		cfg:   txn.Config{TransactionalID: name, Timeout: 20 * time.Second, Former: txn.NoProducer},
		input: name + "-in", output: name + "-out", group: name,
	}
	for _, do := range change {
		do(&w.cfg)
	}
	c.CreateTopic(w.input, 2, nil)
	c.CreateTopic(w.output, 2, nil)
	w.connect(t, c)
	return w
}

func (w *worker) connect(t *testing.T, c *kafkatest.Cluster) {
	t.Helper()
	w.t, w.cluster, w.sequence = t, c, make(map[batch.Identity]int32)
	var err error
	w.client, err = kafka.NewClient(kafka.ClientConfig{BootstrapServers: c.Addrs(), Dial: w.network.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	w.raw = c.Client(kgo.RequestRetries(0))
}

// other returns another worker with the same transactional id, group and topics.
func (w *worker) other() *worker {
	w.t.Helper()
	o := &worker{cfg: w.cfg, input: w.input, output: w.output, group: w.group}
	o.connect(w.t, w.cluster)
	return o
}

func (w *worker) open() *worker {
	w.t.Helper()
	if err := w.tryOpen(); err != nil {
		w.t.Fatal(err)
	}
	return w
}

func (w *worker) tryOpen() error {
	s, err := txn.Open(testkit.Context(w.t), w.client, w.cfg)
	if err != nil {
		return err
	}
	if w.Session == nil || w.Version() != s.Version() {
		// A broker takes the version of the request for that of the protocol.
		w.producer = w.raw
		if s.Version() == 1 {
			w.producer = w.cluster.Client(kgo.RequestRetries(0), oldProduce())
		}
	}
	w.Session = s
	return nil
}

// reopen continues the session.
func (w *worker) reopen() *worker {
	w.t.Helper()
	w.cfg.Former = w.Identity()
	return w.open()
}

// write writes a record as part of the transaction.
func (w *worker) write(value string) {
	w.t.Helper()
	if err := w.AddPartitions(testkit.Context(w.t), []txn.TopicPartition{{Topic: w.output, Partition: 0}}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.tryWrite(value); err != nil {
		w.t.Fatalf("write %q: %v", value, err)
	}
}

// tryWrite writes a record under the session's identity, which partition 0 has to be part
// of in version 1.
func (w *worker) tryWrite(value string) error {
	w.t.Helper()
	identity := w.Identity()
	raw := batchtest.Spec{Records: batchtest.Values(value), Attributes: 1 << 4, ProducerID: identity.ID}.Encode()
	binary.BigEndian.PutUint16(raw[51:], uint16(identity.Epoch))
	binary.BigEndian.PutUint32(raw[53:], uint32(w.sequence[identity]))
	id := w.ID()
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batchtest.Resum(raw)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = w.output, w.topicID(w.output)
	topic.Partitions = append(topic.Partitions, partition)
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &id, -1, 10_000
	req.Topics = append(req.Topics, topic)
	for {
		res, err := req.RequestWith(testkit.Context(w.t), w.producer)
		if err == nil {
			err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
		}
		switch {
		case err == nil:
			w.sequence[identity]++
			return nil
		case !errors.Is(err, kerr.ConcurrentTransactions) && !errors.Is(err, io.EOF) && !kerr.IsRetriable(err):
			return err
		}
	}
}

func (w *worker) commitOffset(offset int64) error {
	return w.CommitOffsets(testkit.Context(w.t), txn.Offsets{
		Group: w.group, Generation: -1, Topic: w.input,
		Partitions: []txn.Offset{{Partition: 1, Offset: offset, LeaderEpoch: -1, Metadata: fmt.Sprint("map of ", offset)}},
	})
}

func (w *worker) mustCommitOffset(offset int64) {
	w.t.Helper()
	if err := w.commitOffset(offset); err != nil {
		w.t.Fatal(err)
	}
}

func (w *worker) end(commit bool) {
	w.t.Helper()
	if err := w.End(testkit.Context(w.t), commit); err != nil {
		w.t.Fatal(err)
	}
}

// expect waits until no transaction is open, and checks what readers see. An offset of -1
// is not checked.
func (w *worker) expect(offset int64, values ...string) {
	w.t.Helper()
	w.cluster.Eventually("no transaction is open", func() bool {
		return w.cluster.EndOffsets(w.output, kgo.ReadCommitted())[0] == w.cluster.EndOffsets(w.output, kgo.ReadUncommitted())[0] &&
			!w.unstable()
	})
	var got []string
	for _, r := range w.cluster.ConsumeAll(w.output, kgo.ReadCommitted()) {
		got = append(got, string(r.Value))
	}
	if !slices.Equal(got, values) {
		w.t.Errorf("readers see %q, want %q", got, values)
	}
	if offset < 0 {
		return
	}
	want := kafkatest.Committed{Offset: offset, LeaderEpoch: -1, Metadata: fmt.Sprint("map of ", offset)}
	if got := w.cluster.GroupOffsets(w.group)[w.input][1]; got != want {
		w.t.Errorf("the group has %+v, want %+v", got, want)
	}
}

// unstable reports whether the group's offset is about to be replaced.
func (w *worker) unstable() bool {
	w.t.Helper()
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.TopicID, topic.Partitions = w.input, w.topicID(w.input), []int32{1}
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group, group.Topics = w.group, append(group.Topics, topic)
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable, req.Groups = true, append(req.Groups, group)
	res, err := req.RequestWith(testkit.Context(w.t), w.raw)
	if err != nil || kerr.IsRetriable(kerr.ErrorForCode(res.Groups[0].ErrorCode)) {
		return true // a coordinator that moves
	}
	return len(res.Groups[0].Topics) > 0 && res.Groups[0].Topics[0].Partitions[0].ErrorCode != 0
}

func (w *worker) topicID(name string) [16]byte {
	w.t.Helper()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(testkit.Context(w.t), w.cluster.Client())
	if err != nil || len(res.Topics) != 1 {
		w.t.Fatalf("metadata: %v", err)
	}
	return res.Topics[0].TopicID
}

// network is a worker's connections. It can lose answers and delay requests.
type network struct {
	mu   sync.Mutex
	sent map[protocol.ApiKey]int    // requests that have been sent; guarded by mu
	lose map[protocol.ApiKey]int    // answers to lose; guarded by mu
	hold map[protocol.ApiKey]int    // requests to hold; guarded by mu
	held []func()                   // sends a held request; guarded by mu
	then map[protocol.ApiKey]func() // called once when a request has been sent; guarded by mu
}

// loseAnswers cuts the connection at the next n answers to a request.
func (n *network) loseAnswers(key protocol.ApiKey, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lose = map[protocol.ApiKey]int{key: count}
}

// holdRequests cuts the connection at the next n requests, which arrive when release is
// called.
func (n *network) holdRequests(key protocol.ApiKey, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold = map[protocol.ApiKey]int{key: count}
}

// whenSent calls do once, as soon as a request has been sent.
func (n *network) whenSent(key protocol.ApiKey, do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.then = map[protocol.ApiKey]func(){key: do}
}

// release sends the requests that are held, and waits for their answers.
func (n *network) release() int {
	n.mu.Lock()
	held := n.held
	n.held = nil
	n.mu.Unlock()
	for _, send := range held {
		send()
	}
	return len(held)
}

func (n *network) count(key protocol.ApiKey) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent[key]
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, network: n}, nil
}

// conn carries one request at a time, each in one Write.
type conn struct {
	net.Conn
	network *network
	lose    bool // the next answer
	holds   bool // a request: Close does not close the connection
}

func (c *conn) Write(b []byte) (int, error) {
	n := c.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(b) < 6 {
		return c.Conn.Write(b)
	}
	key := protocol.ApiKey(binary.BigEndian.Uint16(b[4:]))
	if n.sent == nil {
		n.sent = make(map[protocol.ApiKey]int)
	}
	n.sent[key]++
	switch {
	case n.lose[key] > 0:
		n.lose[key]--
		c.lose = true
	case n.hold[key] > 0:
		n.hold[key]--
		c.holds = true
		request := slices.Clone(b)
		n.held = append(n.held, func() {
			_, _ = c.Conn.Write(request)
			_, _ = c.Conn.Read(make([]byte, 1<<10))
			_ = c.Conn.Close()
		})
		return len(b), nil
	}
	if do := n.then[key]; do != nil {
		delete(n.then, key)
		defer do()
	}
	return c.Conn.Write(b)
}

func (c *conn) Read(b []byte) (int, error) {
	if c.holds {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b)
	if c.lose {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func (c *conn) Close() error {
	if c.holds {
		return nil
	}
	return c.Conn.Close()
}

// SetDeadline implements net.Conn. The deadline of a held request is not the network's.
func (c *conn) SetDeadline(d time.Time) error {
	if c.holds {
		return nil
	}
	return c.Conn.SetDeadline(d)
}

// oldProduce keeps a client from versions of Produce that are those of version 2 of the
// protocol.
func oldProduce() kgo.Opt {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.Produce), 11)
	return kgo.MaxVersions(versions)
}

// expectTogether checks that the last transaction's record and offset are both there, or,
// unless it must be there, neither. One record was there before.
func (w *worker) expectTogether(must bool, offset int64) {
	w.t.Helper()
	w.cluster.Eventually("no transaction is open", func() bool { return !w.unstable() })
	committed := w.cluster.GroupOffsets(w.group)[w.input][1].Offset == offset
	seen := len(w.cluster.ConsumeAll(w.output, kgo.ReadCommitted()))
	if committed {
		w.committed++
	}
	if (must && !committed) || seen != w.committed+1 {
		w.t.Errorf("the offset is committed: %v, readers see %d records", committed, seen)
	}
}
