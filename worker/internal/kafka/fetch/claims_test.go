package fetch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// TestClaimsOfResponsesAreNotBelieved: a response that says that it has more than it has
// takes no memory for it, but one buffer.
func TestClaimsOfResponsesAreNotBelieved(t *testing.T) {
	for version := int16(minVersion); version <= maxVersion; version++ {
		req := wireRequest(version)
		testkit.LengthClaims(t, wireResponse(version, []byte("some"), nil), 2*batch.MaxPooled+1<<20, func(data []byte) {
			large := bytes.Clone(data)
			binary.BigEndian.PutUint32(large, maxResponseBytes)
			for _, data := range [][]byte{data, large} {
				if res, err := readResponse(bytes.NewReader(data), req); err == nil {
					res.release()
				}
			}
		})
	}
}

func TestClaimsAboutEpochsAreNotBelieved(t *testing.T) {
	answer := binary.BigEndian.AppendUint32(make([]byte, 8), 1)
	answer = append(answer, 0, 1, 't', 0, 0, 0, 1)
	answer = append(answer, make([]byte, 18)...)
	if res, err := decodeEpochEnds(answer, "t"); err != nil || len(res.ends) != 1 {
		t.Fatalf("%v, %v", res, err)
	}
	testkit.LengthClaims(t, answer, 1<<20, func(data []byte) { _, _ = decodeEpochEnds(data, "t") })
}
