package fetch

import (
	"bytes"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// FuzzFetchResponse reads arbitrary bytes as a response.
func FuzzFetchResponse(f *testing.F) {
	for version := int16(minVersion); version <= maxVersion; version++ {
		good := wireResponse(version, batchtest.Spec{Records: batchtest.Values("a")}.Encode(), nil)
		f.Add(good, version)
		f.Add(good[:len(good)-7], version)
	}
	f.Fuzz(func(t *testing.T, data []byte, version int16) {
		req := wireRequest(min(max(version, minVersion), maxVersion))
		res, err := readResponse(bytes.NewReader(data), req)
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
