package frame

import (
	"time"

	"github.com/millrace-dev/millrace/worker"
)

// WorkerKind says which message a worker has sent.
type WorkerKind uint8

// The messages of a worker, by their numbers in WorkerFrame.
const (
	OfWorkerHello  = WorkerKind(workerHello)
	OfWorkerBatch  = WorkerKind(workerBatch)
	OfWorkerCredit = WorkerKind(workerCredit)
	OfWorkerPing   = WorkerKind(workerPing)
	OfWorkerDrain  = WorkerKind(workerDrain)
	OfWorkerClose  = WorkerKind(workerClose)
)

// ParseWorker is Parse for the bytes of a WorkerFrame. ParseNumber decodes a ByteCredit, a
// Ping, and the id of a Batch; ParseClose decodes a Close.
func ParseWorker(b []byte) (WorkerKind, []byte, error) {
	number, message, err := only(b, workerClose)
	return WorkerKind(number), message, err
}

// ParseWorkerHello decodes a WorkerHello.
func ParseWorkerHello(b []byte) (WorkerHello, error) {
	var h WorkerHello
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			h.Version = uint32(f.varint)
		case f.isBytes(3):
			h.Ordering = string(f.text())
		case f.isBytes(4):
			h.Topic = string(f.text())
		case f.isBytes(5):
			h.Group = string(f.text())
		case f.isBytes(6):
			h.Processor = string(f.text())
		case f.isVarint(7):
			h.MaxRecords = uint32(f.varint)
		case f.isVarint(8):
			h.MaxBytes = f.varint
		case f.isVarint(9):
			h.LingerMillis = uint32(f.varint)
		case f.isVarint(10):
			h.ByteCredit = f.varint
		case f.isVarint(11):
			h.MaxFrameBytes = f.varint
		}
	}
	return h, f.err
}

// Received is a batch as a process gets it. Its records refer to the message's memory.
type Received struct {
	ID            uint64
	TimeoutMillis uint32
	Records       []worker.Record
}

// ParseBatch decodes a Batch, and reuses the memory of r.
func ParseBatch(b []byte, r *Received) error {
	*r = Received{Records: r.Records[:0]}
	topic := ""
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			r.ID = f.varint
		case f.isBytes(2):
			topic = string(f.text())
		case f.isVarint(3):
			r.TimeoutMillis = uint32(f.varint)
		case f.isBytes(4):
			rec, err := parseRecord(f.bytes)
			if err != nil {
				return err
			}
			r.Records = append(r.Records, rec)
		}
	}
	for i := range r.Records {
		if r.Records[i].Topic == "" {
			r.Records[i].Topic = topic
		}
	}
	return f.err
}

func parseRecord(b []byte) (worker.Record, error) {
	var rec worker.Record
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isVarint(1):
			rec.Partition = int32(f.varint)
		case f.isVarint(2):
			rec.Offset = int64(f.varint)
		case f.isVarint(3):
			rec.Timestamp = time.UnixMilli(int64(f.varint))
		case f.isBytes(4):
			rec.Key = f.bytes
		case f.isBytes(5):
			rec.Value = f.bytes
		case f.isBytes(6):
			h, err := parseHeader(f.bytes)
			if err != nil {
				return rec, err
			}
			rec.Headers = append(rec.Headers, h)
		case f.isBytes(8):
			rec.Topic = string(f.text())
		}
	}
	return rec, f.err
}

func parseHeader(b []byte) (worker.Header, error) {
	var h worker.Header
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.isBytes(1):
			h.Key = string(f.bytes)
		case f.isBytes(2):
			h.Value = f.bytes
		}
	}
	return h, f.err
}
