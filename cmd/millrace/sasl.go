package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// borrowed makes franz-go authenticate with the credentials and tokens of another
// client.
type borrowed struct {
	mechanism string
	client    *kafka.Client
}

// Name implements sasl.Mechanism.
func (b borrowed) Name() string { return b.mechanism }

// Authenticate implements sasl.Mechanism.
func (b borrowed) Authenticate(ctx context.Context, address string) (sasl.Session, []byte, error) {
	begun, first, err := b.client.Authenticate(ctx, address)
	return dialogue{ctx, begun}, first, err
}

// dialogue is franz-go's view of a kafka.Dialogue. franz-go calls Challenge only while
// the context of Authenticate is valid.
type dialogue struct {
	ctx    context.Context
	worker kafka.Dialogue
}

// Challenge implements sasl.Session.
func (d dialogue) Challenge(answer []byte) (bool, []byte, error) {
	return d.worker.Next(d.ctx, answer)
}
