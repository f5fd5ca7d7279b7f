package kafka

import (
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// verdict is what has to be done about a batch after a broker's answer.
type verdict int

const (
	// stored: it is in the log, now or since an earlier attempt.
	stored verdict = iota
	// sendAgain, as it is: it may have been stored, and is not stored twice.
	sendAgain
	// renew the producer's identity first: the broker does not know where the
	// partition's sequence is.
	renew
	// refuse the records that the broker named, and send the others.
	refuse
	// tooLarge: divide it, and make smaller ones from now on.
	tooLarge
	// unexplained: send it again, for as long as the delivery timeout allows.
	// The broker has failed in a way that it does not explain, or with a code
	// that is not known here.
	unexplained
	// unsupported compression: choose another one.
	unsupported
	// fatal: somebody has to do something first.
	fatal
)

// judge returns what an error code says about a batch.
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
	if retriableCode(kafkago.Error(code)) {
		return sendAgain
	}
	return unexplained
}

// writeError explains what a broker answered about a batch.
func (r *produceResult) writeError() error {
	err := wire.ErrorOf(r.errorCode)
	if r.message != "" {
		err = fmt.Errorf("%w: %s", err, r.message)
	}
	switch kafkago.Error(r.errorCode) {
	case kafkago.ClusterAuthorizationFailed:
		return fmt.Errorf("write to topic %q: %w: allow this user the operation IdempotentWrite on the cluster (%w)", r.topic, ErrNotAuthorized, err)
	case kafkago.UnsupportedCompressionType:
		return fmt.Errorf("write to topic %q: the cluster does not know this compression: choose an older one (%w)", r.topic, err)
	case kafkago.UnsupportedForMessageFormat:
		return fmt.Errorf("write to topic %q: set its message.format.version to 0.11 or later (%w)", r.topic, err)
	}
	return fmt.Errorf("write to %w", TopicError(r.topic, "Write", err))
}
