package produce

import (
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// verdict is the action that a broker's response about a batch requires.
type verdict int

const (
	// stored: the batch is in the log, now or since an earlier attempt.
	stored verdict = iota
	// sendAgain without a change: the batch may be stored, and is not stored twice.
	sendAgain
	// renew the producer's identity first: the broker does not know the partition's
	// sequence.
	renew
	// refuse the records that the broker named, and send the others.
	refuse
	// tooLarge: divide the batch, and make smaller ones from now on.
	tooLarge
	// unexplained: send the batch again, for as long as the delivery timeout allows.
	// The broker reports an unknown server error, or a code that this client does not
	// know.
	unexplained
	// unsupported compression: choose another one.
	unsupported
	// fatal: somebody has to act first.
	fatal
)

// judge returns the verdict for an error code.
func judge(code int16) verdict {
	switch kafkago.Error(code) {
	case 0, kafkago.DuplicateSequenceNumber:
		return stored
	case kafkago.OutOfOrderSequenceNumber, kafkago.UnknownProducerId,
		kafkago.InvalidProducerEpoch, kafkago.InvalidProducerIDMapping:
		return renew
	case kafkago.MessageSizeTooLarge, kafkago.RecordListTooLarge:
		return tooLarge
	case kafkago.InvalidRecord, kafkago.InvalidTimestamp:
		return refuse
	case kafkago.TopicAuthorizationFailed, kafkago.ClusterAuthorizationFailed,
		kafkago.TransactionalIDAuthorizationFailed,
		kafkago.UnsupportedForMessageFormat, kafkago.UnsupportedVersion:
		return fatal
	case kafkago.UnsupportedCompressionType:
		return unsupported
	}
	if kafka.Retriable(kafkago.Error(code)) {
		return sendAgain
	}
	return unexplained
}

// writeError explains the error of a batch.
func (r *result) writeError() error {
	err := wire.ErrorOf(r.errorCode)
	if r.message != "" {
		err = fmt.Errorf("%w: %s", err, r.message)
	}
	switch kafkago.Error(r.errorCode) {
	case kafkago.ClusterAuthorizationFailed:
		return fmt.Errorf("write to topic %q: %w: allow this user the operation IdempotentWrite on the cluster (%w)", r.topic, kafka.ErrNotAuthorized, err)
	case kafkago.UnsupportedCompressionType:
		return fmt.Errorf("write to topic %q: the cluster does not know this compression: choose an older one (%w)", r.topic, err)
	case kafkago.UnsupportedForMessageFormat:
		return fmt.Errorf("write to topic %q: set its message.format.version to 0.11 or later (%w)", r.topic, err)
	}
	return fmt.Errorf("write to %w", kafka.TopicError(r.topic, "Write", err))
}
