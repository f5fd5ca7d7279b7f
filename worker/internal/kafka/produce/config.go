package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// Defaults of a Config.
const (
	// The default limit of brokers (message.max.bytes), so that a record of an input
	// topic fits into an output topic.
	defaultMaxBatchBytes    = 1_048_588
	defaultMaxBufferedBytes = 32 << 20
	defaultDeliveryTimeout  = 2 * time.Minute
)

// maxRecordBytes bounds a record in its batch. A broker closes the connection without
// an error when a request is larger than socket.request.max.bytes, which is 100 MiB by
// default.
const maxRecordBytes = 90 << 20

// ErrTooLarge says that a record is larger than its topic allows, or than
// maxRecordBytes. The error that wraps it names the limit.
var ErrTooLarge = errors.New("record too large")

// ErrInvalidRecord says that a broker refuses a record as invalid, such as one without
// a key for a compacted topic.
var ErrInvalidRecord = errors.New("the broker refuses the record")

// errProducerClosed counts as a cancellation: nothing is wrong with the record, as far
// as is known.
var errProducerClosed = fmt.Errorf("the producer is closed: %w", context.Canceled)

// Config sets up a Producer. OnAck and OnFatal are required.
type Config struct {
	Compression config.Compression
	// Linger is how long a record may wait for others to fill its batch. It waits
	// only where little is written: the Producer sends a batch that is worth a
	// request as soon as the request before has its response.
	Linger time.Duration
	// MaxBatchBytes bounds a batch of several records, before compression; 0
	// is 1,048,588, the default limit of brokers. Keep it within the topic's
	// max.message.bytes. A larger record goes in a batch by itself.
	MaxBatchBytes int
	// MaxBufferedBytes bounds the memory of all encoded records that are not
	// acknowledged; Append blocks beyond it. 0 is 32 MiB. There is always room for
	// one batch, and for one record of any size while there is no other.
	MaxBufferedBytes int64
	// DeliveryTimeout is how long a partition may refuse a batch without a
	// known reason (an unknown server error) before its records fail
	// with ErrNotDelivered; 0 is two minutes. Outages don't count: without a
	// leader or a response a batch waits.
	DeliveryTimeout time.Duration
	// MetadataMaxAge is how old the number of a topic's partitions may get
	// before the cluster is asked again; 0 is five minutes.
	MetadataMaxAge time.Duration
	// OnAck is called when the cluster has stored records, or refuses them for good.
	// The senders' goroutines call it: one at a time for a partition, in the order of
	// its batches. It must not block. If an Ack has an Err, OnAck may call Append,
	// which does not wait for memory then.
	OnAck func(*Ack)
	// OnFatal is called when somebody has to act before records can be written, for
	// example has to grant an ACL. The Producer keeps the records and tries them
	// again now and then. Several goroutines may call OnFatal. It must not block or
	// close the Producer.
	OnFatal func(error)
	// OnThrottle is called when a broker throttles this client by a quota, with
	// the broker's id. It must not block; nil is allowed.
	OnThrottle func(broker int32, d time.Duration)
	// Transactional lets the Producer write in transactions only: it sends nothing before
	// Resume. OnDoomed is required then. It is called once for a transaction that can't be
	// committed, with one word for the reason. Several goroutines may call it. It must not
	// block or call methods of the Producer.
	Transactional bool
	OnDoomed      func(reason string, err error)
	Logger        logr.Logger
}

func (cfg *Config) setDefaults() {
	if cfg.MaxBatchBytes <= 0 {
		cfg.MaxBatchBytes = defaultMaxBatchBytes
	}
	if cfg.MaxBufferedBytes <= 0 {
		cfg.MaxBufferedBytes = defaultMaxBufferedBytes
	}
	if cfg.DeliveryTimeout <= 0 {
		cfg.DeliveryTimeout = defaultDeliveryTimeout
	}
	if cfg.MetadataMaxAge <= 0 {
		cfg.MetadataMaxAge = defaultMetadataMaxAge
	}
}

// Ack is the outcome of records of one batch.
type Ack struct {
	Topic     string
	Partition int32
	// BaseOffset is the offset of the first record, the others follow it; -1
	// if it is unknown.
	BaseOffset int64
	// Origins are the origins of the records, in order. They are valid until OnAck
	// returns.
	Origins []batch.Origin
	// Bytes is the size of the records in a batch that is not compressed; 0 if they
	// can't be written.
	Bytes int
	// Err is set if these records can't be written: the cluster refuses them
	// as too large (ErrTooLarge) or invalid, or for DeliveryTimeout without a
	// known reason (ErrNotDelivered).
	Err error
}
