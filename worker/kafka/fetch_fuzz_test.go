package kafka

import (
	"bytes"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// FuzzFetchResponse reads whatever comes as an answer.
func FuzzFetchResponse(f *testing.F) {
	for version := int16(minFetchVersion); version <= maxFetchVersion; version++ {
		good := wireResponse(version, batchtest.Spec{Records: batchtest.Values("a")}.Encode(), nil)
		f.Add(good, version)
		f.Add(good[:len(good)-7], version)
	}
	f.Fuzz(func(t *testing.T, data []byte, version int16) {
		req := wireRequest(min(max(version, minFetchVersion), maxFetchVersion))
		res, err := readFetchResponse(bytes.NewReader(data), req)
		if (err == nil) != (res != nil) {
			t.Fatalf("%v and %v", res, err)
		}
		if err != nil {
			return
		}
		for _, p := range res.partitions {
			if p.records != nil && p.size > len(p.records.Bytes()) || p.records == nil && p.size != 0 {
				t.Fatalf("%d bytes in %v", p.size, p.records)
			}
		}
		res.release()
	})
}
