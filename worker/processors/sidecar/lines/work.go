package lines

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// work has the program process a batch. It writes and reads at the same time, since the
// program may answer a line before it reads the next one, or after it has read many.
func (p *program) work(ctx context.Context, batch *frame.Received, answer *frame.Answer) error {
	p.ask(len(batch.Records))
	stop := context.AfterFunc(ctx, p.abandon)
	defer stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.write(batch.Records)
	}()
	err := p.read(batch.Records, answer)
	if err != nil {
		p.kill()
	}
	<-written // the records' memory is borrowed
	p.ask(0)
	if err == nil {
		p.noteIdle()
	}
	return err
}

// ask notes how many lines the program owes.
func (p *program) ask(lines int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.owed = lines, p.owed+lines
}

// abandon ends a program whose connection has ended before its batch.
func (p *program) abandon() {
	p.mu.Lock()
	p.abandoned = true
	p.mu.Unlock()
	p.kill()
}

// unanswered returns a hint about a program that has not answered in time, nil for another.
func (p *program) unanswered() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.abandoned || p.asked > 0 {
		return nil
	}
	return errors.New("the program held lines without an answer: it must write a line for each, null for no result, and write it at once instead of keeping it in a buffer (jq --unbuffered, sed -u, python3 -u)")
}

// write writes a line for each record. An error shows in what the program answers.
func (p *program) write(records []worker.Record) {
	w := bufio.NewWriterSize(p.in, 64<<10)
	for i := range records {
		if err := writeRecord(w, &records[i]); err != nil {
			return
		}
	}
	_ = w.Flush()
}

// read takes a line for each record.
func (p *program) read(records []worker.Record, answer *frame.Answer) error {
	for i := range records {
		line, ok := <-p.lines
		if !ok {
			return fmt.Errorf("the program has failed when it had answered %d of %d lines: %w", i, len(records), p.why)
		}
		if err := take(line, &records[i], i, answer); err != nil {
			return fmt.Errorf("the program's answer %d of %d can't be used: %w: %s", i+1, len(records), err, excerpt(line))
		}
	}
	return nil
}
