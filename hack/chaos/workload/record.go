package workload

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Headers of the records. Workers copy HeaderID and add the others to their outputs.
const (
	// HeaderID holds the record's ID.
	HeaderID = "chaos-id"
	// HeaderIndex numbers the outputs of one record, from 0.
	HeaderIndex = "chaos-index"
	// HeaderProcess names the process that made the output.
	HeaderProcess = "chaos-process"
	// HeaderEnd marks a record that the driver writes last into a partition, so that
	// the checker sees that it has read the whole partition.
	HeaderEnd = "chaos-end"
)

// MaxMessageBytes is the max.message.bytes of the topics.
const MaxMessageBytes = 128 << 10

// ID identifies a record of the input topic.
type ID struct {
	Partition int32
	// Seq numbers the records of the partition from 0. It equals the offset.
	Seq int64
	// Key numbers the keys of the partition; each key belongs to one partition for
	// ever. It is -1 for a null key.
	Key int
	// KeySeq numbers the records of the key from 0.
	KeySeq int64
	Kind   Kind
}

// String returns the text of HeaderID, such as "3 1204 17 63 plain".
func (id ID) String() string {
	return fmt.Sprintf("%d %d %d %d %s", id.Partition, id.Seq, id.Key, id.KeySeq, id.Kind)
}

// Parse returns the ID of a text that String made.
func Parse(text string) (ID, error) {
	parts := strings.Split(text, " ")
	if len(parts) != 5 {
		return ID{}, fmt.Errorf("%q is not a record's ID", text)
	}
	var numbers [4]int64
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil {
			return ID{}, fmt.Errorf("%q is not a record's ID: %w", text, err)
		}
		numbers[i] = n
	}
	kind, err := parseKind(parts[4])
	if err != nil {
		return ID{}, err
	}
	return ID{Partition: int32(numbers[0]), Seq: numbers[1], Key: int(numbers[2]), KeySeq: numbers[3], Kind: kind}, nil
}

// KeyBytes returns the record's key, nil for null.
func (id ID) KeyBytes() []byte {
	if id.Key < 0 {
		return nil
	}
	return fmt.Appendf(nil, "p%d-k%d", id.Partition, id.Key)
}

// OutputKey returns the key of an output, nil for null.
func (id ID) OutputKey(index int) []byte {
	key := id.KeyBytes()
	if key == nil || index == 0 {
		return key
	}
	return fmt.Appendf(key, "#%d", index)
}

// Value returns the record's value, nil for a tombstone.
func (id ID) Value() []byte {
	if id.Kind == Tombstone {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id.String()))
	state := h.Sum64()
	value := make([]byte, id.size(state))
	for i := range value {
		if i%12 == 0 {
			state = state*6364136223846793005 + 1442695040888963407
		}
		value[i] = 'a' + byte(state>>(4+5*(i%12))&15)
	}
	return value
}

func (id ID) size(state uint64) int {
	switch id.Kind {
	case Large:
		return MaxMessageBytes - 1024
	case Oversize:
		return MaxMessageBytes * 2 / 3
	default:
		return 40 + int(state%200)
	}
}

// OutputValue returns the value of an output for the record's value, nil for a
// tombstone. It has the length of the record's value, but Oversize's is larger than the
// topics take, however it is compressed.
func OutputValue(kind Kind, value []byte, index int) []byte {
	if value == nil {
		return nil
	}
	if kind == Oversize {
		return noise(MaxMessageBytes + 1024)
	}
	out := make([]byte, len(value))
	for i, c := range value {
		out[i] = c - 'a' + 'A' + byte(index)
	}
	return out
}

// noise returns n bytes that no codec makes shorter.
func noise(n int) []byte {
	source := rand.NewChaCha8([32]byte{})
	bytes := make([]byte, n)
	_, _ = source.Read(bytes)
	return bytes
}
