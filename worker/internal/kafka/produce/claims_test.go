package produce

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// TestClaimsOfResponsesAreNotBelieved: a response that says that it has more than it has
// takes no memory for it.
func TestClaimsOfResponsesAreNotBelieved(t *testing.T) {
	for version := int16(minVersion); version <= maxVersion; version++ {
		testkit.LengthClaims(t, wireAnswer(version), 1<<20, func(data []byte) {
			_, _ = readResponse(bytes.NewReader(data), version)
			large := bytes.Clone(data)
			binary.BigEndian.PutUint32(large, maxResponse)
			_, _ = readResponse(bytes.NewReader(large), version)
		})
	}
}

// FuzzProduceResponse reads any bytes as a response.
func FuzzProduceResponse(f *testing.F) {
	for version := int16(minVersion); version <= maxVersion; version++ {
		good := wireAnswer(version)
		f.Add(good, version)
		f.Add(good[:len(good)-7], version)
	}
	f.Fuzz(func(t *testing.T, data []byte, version int16) {
		res, err := readResponse(bytes.NewReader(data), min(max(version, minVersion), maxVersion))
		if err == nil && len(res.results) > len(data) {
			t.Errorf("%d results out of %d bytes", len(res.results), len(data))
		}
	})
}
