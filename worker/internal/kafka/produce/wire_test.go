package produce

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// allVersions are the versions that are spoken.
var allVersions = []int16{3, 4, 5, 6, 7, 8, transactionalVersion}

func TestProduceRequestIsWhatOthersRead(t *testing.T) {
	large := bytes.Repeat([]byte("L"), 3*requestBuffer)
	for _, version := range allVersions {
		for _, id := range []string{"", "me-too"} {
			if version == transactionalVersion && id == "" {
				continue
			}
			r := &request{
				clientID: "me", version: version, transactionalID: id, out: bufio.NewWriterSize(nil, requestBuffer),
				batches: []requestBatch{{"a", 0, []byte("a0")}, {"a", 7, large}, {"b", 2, []byte("b2")}, {"c", 1, large}, {"c", 3, []byte{}}},
			}
			expectRead(t, r)
		}
	}
}

// expectRead expects an independent decoder to read r as it is.
func expectRead(t *testing.T, r *request) {
	t.Helper()
	version := r.version
	var wire bytes.Buffer
	if err := r.write(&wire); err != nil {
		t.Fatal(err)
	}
	b := wire.Bytes()
	if size := binary.BigEndian.Uint32(b); int(size) != len(b)-4 {
		t.Errorf("v%d: size %d of %d bytes", version, size, len(b)-4)
	}
	if key, v := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]); key != 0 || int16(v) != version {
		t.Errorf("v%d: key %d, version %d", version, key, v)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = version
	header := 4 + 2 + 2 + 4 + 2 + len("me")
	if req.IsFlexible() {
		if b[header] != 0 {
			t.Errorf("v%d: the header has %d tagged fields", version, b[header])
		}
		header++
	}
	if err := req.ReadFrom(b[header:]); err != nil {
		t.Fatalf("v%d: %v", version, err)
	}
	if !bytes.Equal(req.AppendTo(nil), b[header:]) {
		t.Errorf("v%d: an independent encoder writes other bytes", version)
	}
	id := ""
	if req.TransactionID != nil {
		id = *req.TransactionID
	}
	if id != r.transactionalID || req.Acks != -1 || req.TimeoutMillis != int32(replicationTimeout.Milliseconds()) {
		t.Errorf("v%d: %+v", version, req)
	}
	var got []requestBatch
	for _, topic := range req.Topics {
		for _, p := range topic.Partitions {
			got = append(got, requestBatch{topic.Topic, p.Partition, p.Records})
		}
	}
	if !slices.EqualFunc(got, r.batches, func(a, b requestBatch) bool {
		return a.topic == b.topic && a.partition == b.partition && bytes.Equal(a.bytes, b.bytes)
	}) || len(req.Topics) != 3 {
		t.Errorf("v%d: other batches are read, of %d topics", version, len(req.Topics))
	}
}

// TestSilentBrokerIsGivenUp: a broker answers within replicationTimeout, so the producer
// waits for little more than that, and for the transfer of large batches.
func TestSilentBrokerIsGivenUp(t *testing.T) {
	silenceOf := func(size int) time.Duration {
		r := &request{batches: []requestBatch{{bytes: make([]byte, size)}}}
		return r.exchange().Silence
	}
	if s := silenceOf(1000); s <= replicationTimeout || s > replicationTimeout+10*time.Second {
		t.Errorf("the producer waits %s for an answer about 1 kB", s)
	}
	if s := silenceOf(1<<20) - silenceOf(0); s < 10*time.Second {
		t.Errorf("the producer waits %s longer for an answer about 1 MiB", s)
	}
}

// wireAnswer is what an independent encoder makes of an answer, with the size
// and the correlation id in front.
func wireAnswer(version int16) []byte {
	res := kmsg.NewPtrProduceResponse()
	res.Version, res.ThrottleMillis = version, 45
	for _, name := range []string{"b", "a"} {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = name
		for _, partition := range []int32{3, 1} {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.BaseOffset, p.LogStartOffset = partition, 1<<40+int64(partition), 5
			if name == "a" && partition == 3 {
				p.ErrorCode, p.BaseOffset, p.ErrorMessage = 87, -1, kmsg.StringPtr("some are bad")
				p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = 7, 8 // a tagged field
				for i := range int32(2) {
					bad := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					bad.RelativeOffset = 4 + i
					if i == 0 {
						bad.ErrorMessage = kmsg.StringPtr("no key")
					}
					p.ErrorRecords = append(p.ErrorRecords, bad)
				}
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		res.Topics = append(res.Topics, topic)
	}
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint32(b, correlationID)
	if res.IsFlexible() {
		b = append(b, 1, 5, 2, 'h', 'i') // a tagged field of the header
		res.UnknownTags.Set(300, bytes.Repeat([]byte("x"), 200))
	}
	b = res.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func TestProduceResponsesOfAllVersions(t *testing.T) {
	for _, version := range allVersions {
		res, err := readResponse(bytes.NewReader(wireAnswer(version)), version)
		if err != nil {
			t.Fatalf("v%d: %v", version, err)
		}
		if res.throttleMs != 45 || len(res.results) != 4 {
			t.Errorf("v%d: %+v", version, res)
		}
		if r := res.result("b", 1); r == nil || r.errorCode != 0 || r.baseOffset != 1<<40+1 || r.refused != nil {
			t.Errorf("v%d: b/1: %+v", version, r)
		}
		if res.result("b", 2) != nil || res.result("c", 1) != nil {
			t.Errorf("v%d: there are results that were not answered", version)
		}
		r := res.result("a", 3)
		if r == nil || r.errorCode != 87 {
			t.Fatalf("v%d: a/3: %+v", version, r)
		}
		if want := []refusedRecord{{4, "no key"}, {5, ""}}; version >= 8 && (!slices.Equal(r.refused, want) || r.message != "some are bad") {
			t.Errorf("v%d: a/3: %+v", version, r)
		}
	}
}

func TestBadProduceResponses(t *testing.T) {
	for _, version := range []int16{8, transactionalVersion} {
		whole := wireAnswer(version)
		for cut := range len(whole) {
			if _, err := readResponse(bytes.NewReader(whole[:cut]), version); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("v%d, cut after %d of %d bytes: %v", version, cut, len(whole), err)
			}
		}
		for name, change := range map[string]func(b []byte) []byte{
			"negative size":   func(b []byte) []byte { b[0] = 0xff; return b },
			"huge size":       func(b []byte) []byte { b[0] = 0x7f; return b },
			"other request":   func(b []byte) []byte { b[7]++; return b },
			"too many topics": func(b []byte) []byte { b[8] = 0x7f; return b },
			"endless number": func(b []byte) []byte {
				copy(b[8:], []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
				return b
			},
			"bytes too many": func(b []byte) []byte {
				b = append(b, 1, 2)
				binary.BigEndian.PutUint32(b, uint32(len(b)-4))
				return b
			},
			"cut within its size": func(b []byte) []byte {
				b = b[:len(b)-6]
				binary.BigEndian.PutUint32(b, uint32(len(b)-4))
				return b
			},
		} {
			if version == 8 && name == "endless number" {
				continue // null
			}
			if _, err := readResponse(bytes.NewReader(change(slices.Clone(whole))), version); err == nil {
				t.Errorf("v%d, %s: no error", version, name)
			}
		}
	}
}

func TestBrokerThatIsTooOldForProduce(t *testing.T) {
	e := (&request{}).exchange()
	e.Required(map[protocol.ApiKey]int16{protocol.Produce: 2})
	if _, err := e.RawExchange(nil); !errors.Is(err, wire.ErrTooOld) || kafka.Retriable(err) {
		t.Errorf("got %v", err)
	}
}
