package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// Defaults of a ProducerConfig.
const (
	// What brokers take by default (message.max.bytes), so that whatever could
	// be written to an input topic can be written to an output topic.
	defaultMaxBatchBytes    = 1_048_588
	defaultMaxBufferedBytes = 32 << 20
	defaultDeliveryTimeout  = 2 * time.Minute
)

// maxRecordBytes is the most that a record may take in its batch: brokers close
// a connection when a request is above socket.request.max.bytes, which is 100
// MiB by default, and say nothing.
const maxRecordBytes = 90 << 20

// ErrTooLarge says that a record is larger than its topic takes, or than
// maxRecordBytes. The error that wraps it says which.
var ErrTooLarge = errors.New("record too large")

// ErrInvalidRecord says that a topic's broker refuses a record as invalid, such
// as one without a key for a compacted topic.
var ErrInvalidRecord = errors.New("the broker refuses the record")

// errProducerClosed counts as a cancellation: nothing is known to be wrong with
// the record.
var errProducerClosed = fmt.Errorf("the producer is closed: %w", context.Canceled)

// ProducerConfig says how to write. OnAck and OnFatal are required.
type ProducerConfig struct {
	Compression config.Compression
	// Linger is how long a record may wait for others to fill its batch. It
	// does so only where little is written: what is worth a request by itself
	// is sent as soon as the one before is answered.
	Linger time.Duration
	// MaxBatchBytes bounds a batch of several records, before compression; 0
	// is 1,048,588, which brokers take by default. Keep it within the topic's
	// max.message.bytes. A record that is larger goes in a batch by itself.
	MaxBatchBytes int
	// MaxBufferedBytes bounds the memory of all records that are not
	// acknowledged, as they were encoded; Append blocks beyond it. 0 is 32
	// MiB; there is always room for one batch, and for one record of any size
	// while there is no other.
	MaxBufferedBytes int64
	// DeliveryTimeout is how long a partition may refuse a batch without a
	// known reason (an unknown server error) before its records fail
	// with ErrNotDelivered; 0 is two minutes. Outages don't count: without a
	// leader or an answer a batch waits.
	DeliveryTimeout time.Duration
	// MetadataMaxAge is how old the number of a topic's partitions may get
	// before the cluster is asked again; 0 is five minutes.
	MetadataMaxAge time.Duration
	// OnAck is called when records were stored, or refused for good, from the
	// goroutines that send: one at a time for a partition, in the order of
	// its batches. It must not block. If an Ack has an Err it may call
	// Append, which does not wait for memory then.
	OnAck func(*Ack)
	// OnFatal is called when something has to be done before records can be
	// written, such as an ACL that has to be granted. The records are kept
	// and tried again now and then. It may be called from several goroutines,
	// and must not block or close the Producer.
	OnFatal func(error)
	// OnThrottle is called when a broker throttles this client by a quota, with
	// the broker's id. It must not block; nil is allowed.
	OnThrottle func(broker int32, d time.Duration)
	Logger     logr.Logger
}

// Ack is the outcome of records of one batch.
type Ack struct {
	Topic     string
	Partition int32
	// BaseOffset is the offset of the first record, the others follow it; -1
	// if it is unknown.
	BaseOffset int64
	// Origins are those of the records, in their order. They are valid until
	// OnAck returns.
	Origins []batch.Origin
	// Bytes is what the records take in a batch that is not compressed; 0 if
	// they can't be written.
	Bytes int
	// Err is set if these records can't be written: the cluster refuses them
	// as too large (ErrTooLarge) or invalid, or for DeliveryTimeout without a
	// known reason (ErrNotDelivered).
	Err error
}
