package subject

import (
	"fmt"
	"strconv"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker"
)

// message is a record that a loop has read or is to write. Each client has another type for it.
type message struct {
	topic      string
	partition  int32
	offset     int64
	key, value []byte
	headers    []header
}

type header struct {
	key   string
	value []byte
}

// results returns the messages that a loop writes for a record. It tries the record a few
// times; if it fails each time, the result is a dead letter. Millrace's worker does this by
// itself.
func (c Config) results(b *workload.Behaviour, in message) []message {
	var id workload.ID
	var err error
	for _, h := range in.headers {
		if h.key == workload.HeaderID {
			id, err = workload.Parse(string(h.value))
		}
	}
	for attempt := 0; err == nil && attempt < maxAttempts; attempt++ {
		if err = attemptSafely(b, id); err == nil {
			return c.outputs(id, in)
		}
		if attempt < maxAttempts-1 {
			err = nil
		}
	}
	return []message{c.letter(in, err)}
}

// attemptSafely turns a panic into an error.
func attemptSafely(b *workload.Behaviour, id workload.ID) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return b.Attempt(id)
}

func (c Config) outputs(id workload.ID, in message) []message {
	results := make([]message, id.Kind.Attempted())
	for i := range results {
		results[i] = message{
			topic: c.Output, key: id.OutputKey(i), value: workload.OutputValue(id.Kind, in.value, i),
			headers: append(in.headers[:len(in.headers):len(in.headers)],
				header{workload.HeaderIndex, strconv.AppendInt(nil, int64(i), 10)},
				header{workload.HeaderProcess, []byte(c.Process)}),
		}
	}
	return results
}

func (c Config) letter(in message, err error) message {
	return message{
		topic: c.DeadLetter, key: in.key, value: in.value,
		headers: append(in.headers[:len(in.headers):len(in.headers)],
			header{worker.HeaderTopic, []byte(in.topic)},
			header{worker.HeaderPartition, strconv.AppendInt(nil, int64(in.partition), 10)},
			header{worker.HeaderOffset, strconv.AppendInt(nil, in.offset, 10)},
			header{worker.HeaderError, []byte(err.Error())}),
	}
}
