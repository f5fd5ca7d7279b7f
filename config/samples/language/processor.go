package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/millrace-dev/millrace/config/samples/language/langid"
	"github.com/millrace-dev/millrace/worker"
)

// message is a customer's message. The last two fields are in the output only.
type message struct {
	ID         string  `json:"id"`
	Time       string  `json:"time,omitempty"`
	Channel    string  `json:"channel,omitempty"`
	Customer   string  `json:"customer,omitempty"`
	Text       string  `json:"text"`
	Language   string  `json:"language"`
	Confidence float64 `json:"confidence"`
}

// detector adds its language to each message. Many goroutines call it concurrently, which is
// safe because they only read the model.
type detector struct {
	model *langid.Model
}

// BatchSize returns the highest number of messages in one call.
func (d *detector) BatchSize() int { return 64 }

// ProcessBatch reads the messages, classifies their texts in one go and emits
// them. A message that can't be read fails alone.
func (d *detector) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	messages := make([]message, len(recs))
	for i, rec := range recs {
		if err := json.Unmarshal(rec.Value, &messages[i]); err != nil {
			// Another attempt would fail too.
			out[i].Fail(worker.Permanent(fmt.Errorf("read the message: %w", err)))
		}
	}
	if err := ctx.Err(); err != nil {
		return err // the attempt has timed out
	}
	d.classify(messages)
	for i := range messages {
		// The worker drops the output of a message that failed above.
		if err := emit(out[i], &messages[i]); err != nil {
			out[i].Fail(err)
		}
	}
	return nil
}

// classify is the inference. A larger model would process all texts of the batch in one
// multiplication, or in one call to an accelerator.
func (d *detector) classify(messages []message) {
	for i := range messages {
		m := &messages[i]
		language, confidence := d.model.Classify(m.Text)
		m.Language, m.Confidence = language, math.Round(1000*confidence)/1000
	}
}

// emit writes a message with its language, which it also puts into a header, so that routers
// need not read the value. It keeps the input's key and timestamp.
func emit(out *worker.Outputs, m *message) error {
	value, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write message %s: %w", m.ID, err)
	}
	out.Emit(worker.Output{
		Value:   value,
		Headers: []worker.Header{{Key: "language", Value: []byte(m.Language)}},
	})
	return nil
}
