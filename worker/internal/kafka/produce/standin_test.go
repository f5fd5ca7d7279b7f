package produce

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// standIn is a broker that stores nothing: it leads all partitions of one topic
// and answers produce requests at once, so that benchmarks measure the producer
// alone.
type standIn struct {
	topic      string
	partitions int32
	listener   net.Listener
	leaderless atomic.Bool // the last partition has no leader

	mu      sync.Mutex
	offsets map[int32]int64 // of the next record of each partition; guarded by mu
	batches int             // guarded by mu
}

func newStandIn(tb testing.TB, topic string, partitions int32) *standIn {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	b := &standIn{topic: topic, partitions: partitions, listener: listener, offsets: map[int32]int64{}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *standIn) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 64<<10)
	var frame []byte
	for {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(size[:]))
		if cap(frame) < n {
			frame = make([]byte, n)
		}
		frame = frame[:n]
		if _, err := io.ReadFull(in, frame); err != nil {
			return
		}
		if _, err := conn.Write(b.answer(frame)); err != nil {
			return
		}
	}
}

func (b *standIn) answer(frame []byte) []byte {
	req := kmsg.RequestForKey(int16(binary.BigEndian.Uint16(frame)))
	req.SetVersion(int16(binary.BigEndian.Uint16(frame[2:])))
	clientID := int(binary.BigEndian.Uint16(frame[8:]))
	if err := req.ReadFrom(frame[10+clientID:]); err != nil {
		panic(err)
	}
	out := append(make([]byte, 4), frame[4:8]...)
	out = b.respond(req).AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// respond speaks versions from before the encoding of headers changed.
func (b *standIn) respond(req kmsg.Request) kmsg.Response {
	res := req.ResponseKind()
	switch res := res.(type) {
	case *kmsg.ApiVersionsResponse:
		for key, last := range map[kmsg.Key]int16{kmsg.ApiVersions: 0, kmsg.Metadata: 1, kmsg.InitProducerID: 1, kmsg.Produce: 8} {
			api := kmsg.NewApiVersionsResponseApiKey()
			api.ApiKey, api.MaxVersion = int16(key), last
			res.ApiKeys = append(res.ApiKeys, api)
		}
	case *kmsg.MetadataResponse:
		b.metadata(res)
	case *kmsg.InitProducerIDResponse:
		res.ProducerID, res.ProducerEpoch = 7, 0
	case *kmsg.ProduceResponse:
		b.produce(req.(*kmsg.ProduceRequest), res)
	}
	return res
}

func (b *standIn) metadata(res *kmsg.MetadataResponse) {
	host, port, _ := net.SplitHostPort(b.listener.Addr().String())
	number, _ := strconv.ParseInt(port, 10, 32)
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = 1, host, int32(number)
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic = &b.topic
	for i := range b.partitions {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader = i, 1
		if i == b.partitions-1 && b.leaderless.Load() {
			p.Leader = -1
		}
		topic.Partitions = append(topic.Partitions, p)
	}
	res.ControllerID = 1
	res.Brokers, res.Topics = append(res.Brokers, broker), append(res.Topics, topic)
}

func (b *standIn) produce(req *kmsg.ProduceRequest, res *kmsg.ProduceResponse) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			stored := kmsg.NewProduceResponseTopicPartition()
			stored.Partition, stored.BaseOffset = p.Partition, b.offsets[p.Partition]
			const atRecordCount = 57
			b.offsets[p.Partition] += int64(binary.BigEndian.Uint32(p.Records[atRecordCount:]))
			b.batches++
			topic.Partitions = append(topic.Partitions, stored)
		}
		res.Topics = append(res.Topics, topic)
	}
}
