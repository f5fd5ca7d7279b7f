package cel

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// runConcurrently checks that each record gets its own results, also if later records
// reuse its memory, as in the worker.
func runConcurrently(p *Processor, g, records int) error {
	var out worker.Outputs
	value := make([]byte, 0, 256)
	for i := range records {
		id := fmt.Sprintf("%d-%d", g, i)
		value = fmt.Appendf(value[:0], `{"id":%q,"keep":%v,"list":[%d,%d],"topic":"t%d"}`, id, i%3 > 0, g, i, i%5)
		rec := &worker.Record{Offset: int64(i), Value: value, Headers: []worker.Header{{Key: "h", Value: []byte(id)}}}
		usercode.As[record.Outputs](&out).Reset()
		if err := p.Process(context.Background(), rec, &out); err != nil {
			return err
		}
		if i%3 == 0 {
			if len(emitted(&out)) > 0 {
				return fmt.Errorf("record %s was not filtered", id)
			}
			continue
		}
		got := emitted(&out)[0]
		want := fmt.Sprintf(`{"at":%d,"id":%q,"n":[%d,%d]}`, i, id, 2*g, 2*i)
		if string(got.Value) != want || string(got.Key) != id || string(got.Headers[0].Value) != id || got.Topic != fmt.Sprintf("t%d", i%5) {
			return fmt.Errorf("record %s became %s, key %s, headers %q, topic %s", id, got.Value, got.Key, got.Headers, got.Topic)
		}
	}
	return nil
}
