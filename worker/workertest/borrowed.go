package workertest

import (
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// borrowed is a record whose bytes the processor has until its call returns.
type borrowed struct{ *record.Record }

// overwritten takes the place of the bytes of a record whose call has returned.
const overwritten = 0xDB

// overwrite spoils the record's bytes, so that a test finds a processor that keeps them.
func (b borrowed) overwrite() {
	spoil := func(bytes []byte) {
		for i := range bytes {
			bytes[i] = overwritten
		}
	}
	spoil(b.Key)
	spoil(b.Value)
	for _, h := range b.Headers {
		spoil(h.Value)
	}
}

// own returns copies of the records with their topics and offsets.
func own(records []worker.Record) []worker.Record {
	records = slices.Clone(records)
	counted := slices.ContainsFunc(records, func(r worker.Record) bool { return r.Offset != 0 })
	for i := range records {
		r := &records[i]
		if r.Topic == "" {
			r.Topic = "input"
		}
		if !counted {
			r.Offset = int64(i)
		}
		r.Key, r.Value = slices.Clone(r.Key), slices.Clone(r.Value)
		rec := usercode.As[record.Record](r)
		rec.Headers = copied(rec.Headers)
	}
	return records
}

// copied copies headers with their bytes; nil stays nil.
func copied(headers []record.Header) []record.Header {
	headers = slices.Clone(headers)
	for i := range headers {
		headers[i].Key, headers[i].Value = strings.Clone(headers[i].Key), slices.Clone(headers[i].Value)
	}
	return headers
}
