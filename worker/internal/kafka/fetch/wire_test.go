package fetch

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

func wireRequest(version int16) *request {
	return &request{
		broker: 1, clientID: "me", topic: "orders", maxWait: 250 * time.Millisecond, minBytes: 1, maxBytes: 1 << 20,
		readCommitted: true, version: version, pool: batch.NewPool(1 << 20),
		partitions: []requestPartition{{partition: 3, leaderEpoch: -1, offset: 77, maxBytes: 5000}, {partition: 4, leaderEpoch: -1, offset: 1 << 40, maxBytes: 6000}},
	}
}

func TestFetchRequestIsWhatOthersRead(t *testing.T) {
	for version := int16(minVersion); version <= maxVersion; version++ {
		b := wireRequest(version).encode(nil)
		if size := binary.BigEndian.Uint32(b); int(size) != len(b)-4 {
			t.Errorf("v%d: size %d of %d bytes", version, size, len(b)-4)
		}
		req := kmsg.NewPtrFetchRequest()
		req.Version = version
		const header = 4 + 2 + 2 + 4 + 2 + len("me")
		if err := req.ReadFrom(b[header:]); err != nil {
			t.Fatalf("v%d: %v", version, err)
		}
		p := req.Topics[0].Partitions
		if req.ReplicaID != -1 || req.MaxWaitMillis != 250 || req.MinBytes != 1 || req.MaxBytes != 1<<20 || req.IsolationLevel != 1 ||
			req.Topics[0].Topic != "orders" || len(p) != 2 || p[0].Partition != 3 || p[0].FetchOffset != 77 || p[0].PartitionMaxBytes != 5000 ||
			p[1].FetchOffset != 1<<40 || p[0].CurrentLeaderEpoch != -1 || version >= 7 && req.SessionEpoch != -1 {
			t.Errorf("v%d: %+v", version, req)
		}
	}
}

// wireResponse is what an independent encoder makes of an answer, with the size
// and the correlation id in front.
func wireResponse(version int16, records ...[]byte) []byte {
	res := kmsg.NewPtrFetchResponse()
	res.Version, res.ThrottleMillis = version, 5
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic = "orders"
	for i, r := range records {
		p := kmsg.NewFetchResponseTopicPartition()
		p.Partition, p.HighWatermark, p.LastStableOffset, p.LogStartOffset = int32(i), 100, 90, 10
		p.RecordBatches = r
		aborted := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
		aborted.ProducerID, aborted.FirstOffset = 5, 6
		p.AbortedTransactions = append(p.AbortedTransactions, aborted)
		topic.Partitions = append(topic.Partitions, p)
	}
	res.Topics = append(res.Topics, topic)
	body := res.AppendTo(binary.BigEndian.AppendUint32(nil, correlationID))
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestFetchResponsesOfAllVersions(t *testing.T) {
	large := bytes.Repeat([]byte("large"), 2<<20)
	for version := int16(minVersion); version <= maxVersion; version++ {
		req := wireRequest(version)
		res, err := readResponse(bytes.NewReader(wireResponse(version, []byte("some"), nil, []byte{}, large)), req)
		if err != nil {
			t.Fatalf("v%d: %v", version, err)
		}
		want := [][]byte{[]byte("some"), nil, nil, large}
		for i, p := range res.partitions {
			var got []byte
			if p.records != nil {
				got = p.records.Bytes()[:p.size]
			}
			if p.partition != int32(i) || p.highWatermark != 100 || p.lastStableOffset != 90 || len(p.aborted) != 1 || p.aborted[0] != (batch.AbortedTransaction{ProducerID: 5, FirstOffset: 6}) || !bytes.Equal(got, want[i]) {
				t.Errorf("v%d: partition %d is %+v", version, i, p)
			}
			if start := p.logStartOffset; version >= 5 && start != 10 || version < 5 && start != -1 {
				t.Errorf("v%d: log start offset %d", version, start)
			}
		}
		if len(res.partitions) != 4 || res.throttleMs != 5 {
			t.Errorf("v%d: %d partitions, throttled for %d ms", version, len(res.partitions), res.throttleMs)
		}
		res.release()
	}
}

// TestSilentBrokerIsGivenUp: a broker answers after maxWait at the latest, so the fetcher
// waits for little more than that.
func TestSilentBrokerIsGivenUp(t *testing.T) {
	r := &request{maxWait: 2 * time.Second}
	if s := r.exchange().Silence; s <= r.maxWait || s > r.maxWait+15*time.Second {
		t.Errorf("the fetcher waits %s for an answer", s)
	}
}

func TestBadFetchResponses(t *testing.T) {
	good := wireResponse(11, []byte("some records"), []byte("others"))
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
	const topics = 4 + 4 + 4 + 2 + 4
	const partitions = topics + 4 + 2 + len("orders")
	const aborted = partitions + 4 + 4 + 2 + 8 + 8 + 8
	const records = aborted + 4 + 16 + 4
	cases := map[string]struct {
		data []byte
		says string
	}{
		"nothing":               {nil, "EOF"},
		"a negative size":       {change(0, 1<<31), "can't be"},
		"a tiny size":           {change(0, 7), "can't be"},
		"an absurd size":        {change(0, 1<<31-1), "can't be"},
		"size above the data":   {change(0, uint32(len(good)+100)), "belong to no field"},
		"size below the data":   {change(0, uint32(len(good)-10)), "are left"},
		"another request's":     {change(4, 99), "answers request 99"},
		"topics that lie":       {change(topics, 1<<30), "elements"},
		"partitions that lie":   {change(partitions, 1<<30), "elements"},
		"transactions that lie": {change(aborted, 1<<30), "elements"},
		"records that lie":      {change(records, 1<<30), "records of 1073741824 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			res, err := readResponse(bytes.NewReader(c.data), wireRequest(11))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v and %v, want an error that says %q", res, err, c.says)
			}
		})
	}
	for n := range good {
		if _, err := readResponse(bytes.NewReader(good[:n]), wireRequest(11)); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(good))
		}
	}
}

func TestClaimedRecordsAreNotAllocated(t *testing.T) {
	b := wireResponse(11, make([]byte, 5<<20))
	binary.BigEndian.PutUint32(b, 400<<20)
	const records = 4 + 4 + 4 + 2 + 4 + 4 + 2 + len("orders") + 4 + 4 + 2 + 8 + 8 + 8 + 4 + 16 + 4
	binary.BigEndian.PutUint32(b[records:], 300<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readResponse(bytes.NewReader(b), wireRequest(11))
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err == nil || allocated > 64<<20 {
		t.Errorf("%v, %d MiB were allocated for 5", err, allocated>>20)
	}
}

func TestBrokerThatIsTooOld(t *testing.T) {
	e := wireRequest(0).exchange()
	e.Required(map[protocol.ApiKey]int16{protocol.Fetch: 3})
	if _, err := e.RawExchange(nil); err == nil || !strings.Contains(err.Error(), "Kafka 0.11") {
		t.Errorf("got %v", err)
	}
}
