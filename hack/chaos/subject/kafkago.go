package subject

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
)

// kafkaGoGoroutines is how many records the loop works on at the same time.
const kafkaGoGoroutines = 64

// kafkaGo is a plain loop as users of kafka-go write it: a Reader in a group, goroutines,
// a Writer, and CommitMessages after the write.
func (c Config) kafkaGo(ctx context.Context) error {
	password, err := c.password()
	if err != nil {
		return err
	}
	mechanism := plain.Mechanism{Username: c.User, Password: password}
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: c.Brokers, Topic: c.Input, GroupID: c.Group, StartOffset: kafka.FirstOffset,
		Dialer:  &kafka.Dialer{Timeout: 10 * time.Second, SASLMechanism: mechanism},
		MaxWait: 100 * time.Millisecond, SessionTimeout: SessionTimeout, CommitInterval: time.Second,
		WatchPartitionChanges: true, IsolationLevel: kafka.ReadCommitted,
	})
	writer := &kafka.Writer{
		Addr: kafka.TCP(c.Brokers...), Balancer: kafka.Murmur2Balancer{}, RequiredAcks: kafka.RequireAll,
		BatchTimeout: 5 * time.Millisecond, BatchBytes: workload.MaxMessageBytes, Transport: &kafka.Transport{SASL: mechanism},
	}
	loop := kafkaGoLoop{config: c, reader: reader, writer: writer, behaviour: workload.Behaviour{Dir: c.SharedDir}}
	return errors.Join(loop.run(ctx), writer.Close(), reader.Close())
}

type kafkaGoLoop struct {
	config    Config
	reader    *kafka.Reader
	writer    *kafka.Writer
	behaviour workload.Behaviour
}

// run handles messages on several goroutines until ctx is done or one of them fails.
func (l *kafkaGoLoop) run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, kafkaGoGoroutines)
	var pool sync.WaitGroup
	for range kafkaGoGoroutines {
		pool.Go(func() {
			if err := l.handle(reading); reading.Err() == nil {
				failed <- err
				stop()
			}
		})
	}
	pool.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// handle handles one message after the other until one fails or ctx is done. It finishes a
// message that it has read when ctx ends.
func (l *kafkaGoLoop) handle(ctx context.Context) error {
	for {
		m, err := l.reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		if results := l.config.results(&l.behaviour, fromKafkaGo(&m)); len(results) > 0 {
			err = l.writer.WriteMessages(finish, toKafkaGo(results)...)
		}
		if err == nil {
			err = l.reader.CommitMessages(finish, m)
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

func fromKafkaGo(m *kafka.Message) message {
	in := message{topic: m.Topic, partition: int32(m.Partition), offset: m.Offset, key: m.Key, value: m.Value}
	for _, h := range m.Headers {
		in.headers = append(in.headers, header{h.Key, h.Value})
	}
	return in
}

func toKafkaGo(results []message) []kafka.Message {
	messages := make([]kafka.Message, len(results))
	for i := range results {
		m := &messages[i]
		m.Topic, m.Key, m.Value = results[i].topic, results[i].key, results[i].value
		for _, h := range results[i].headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.key, Value: h.value})
		}
	}
	return messages
}
