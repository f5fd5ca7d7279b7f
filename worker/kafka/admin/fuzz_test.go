package admin

import (
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// fuzzAnswer holds what a decoder makes of any bytes against how many they are: a
// count in the answer must not be believed.
func fuzzAnswer(f *testing.F, decoder wire.Layout, elements func(protocol.Message) int, seeds ...[]byte) {
	f.Helper()
	for _, seed := range seeds {
		if res, err := decoder.ReadAnswer(sized(seed)); err != nil || elements(res) != 1 {
			f.Fatalf("the seed: %v, %v", res, err)
		}
		f.Add(seed)
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := decoder.ReadAnswer(sized(data))
		if err != nil {
			return
		}
		if n := elements(res); n > len(data) {
			t.Errorf("%d elements out of %d bytes", n, len(data))
		}
	})
}

func FuzzCoordinators(f *testing.F) {
	fuzzAnswer(f, &findCoordinators{}, func(m protocol.Message) int { return len(m.(*coordinatorsFound).found) },
		// One group, whose coordinator is broker 1 at h:9092.
		[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 'g', 0, 0, 0, 1, 2, 'h', 0, 0, 0x23, 0x84, 0, 0, 0, 0, 0})
}

func FuzzGroupsOffsets(f *testing.F) {
	fuzzAnswer(f, &groupsOffsets{}, func(m protocol.Message) int { return len(m.(*groupsOffsetsAnswer).groups) },
		// One group with one topic of one partition, committed up to 7.
		[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 'g', 2, 2, 't', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0})
}
