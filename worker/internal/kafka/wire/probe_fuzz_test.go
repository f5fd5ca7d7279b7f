package wire

import (
	"bytes"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// conversation is a connection that discards each write and returns a prepared answer.
type conversation struct{ *bytes.Reader }

func (conversation) Write(b []byte) (int, error) { return len(b), nil }

// FuzzLatestVersion takes any bytes for an answer about versions.
func FuzzLatestVersion(f *testing.F) {
	good := Finish([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9, 0, 9, 0, 1, 0, 8})
	if latest, err := latestVersion(conversation{bytes.NewReader(good)}, "me", protocol.OffsetFetch); err != nil || latest != 8 {
		f.Fatalf("the seed: %d, %v", latest, err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(_ *testing.T, answer []byte) {
		_, _ = latestVersion(conversation{bytes.NewReader(answer)}, "me", protocol.OffsetFetch)
	})
}
