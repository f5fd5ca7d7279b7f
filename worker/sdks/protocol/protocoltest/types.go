package protocoltest

import "encoding/json"

// The messages, as Protobuf's JSON format has them. Bytes that are absent are nil, and empty
// ones are not.
type (
	// WorkerFrame is what a worker sends.
	WorkerFrame struct {
		Hello  *WorkerHello `json:"hello,omitempty"`
		Batch  *Batch       `json:"batch,omitempty"`
		Credit *ByteCredit  `json:"credit,omitempty"`
		Ping   *Ping        `json:"ping,omitempty"`
		Drain  *struct{}    `json:"drain,omitempty"`
		Close  *Close       `json:"close,omitempty"`
	}
	// WorkerHello answers a ProcessHello.
	WorkerHello struct {
		Version       uint32 `json:"version,omitempty"`
		Ordering      string `json:"ordering,omitempty"`
		Topic         string `json:"topic,omitempty"`
		Group         string `json:"group,omitempty"`
		Processor     string `json:"processor,omitempty"`
		MaxRecords    uint32 `json:"maxRecords,omitempty"`
		MaxBytes      uint64 `json:"maxBytes,omitempty,string"`
		LingerMs      uint32 `json:"lingerMs,omitempty"`
		ByteCredit    uint64 `json:"byteCredit,omitempty,string"`
		MaxFrameBytes uint64 `json:"maxFrameBytes,omitempty,string"`
	}
	// Batch is a list of records.
	Batch struct {
		ID        uint64   `json:"id,omitempty,string"`
		Topic     string   `json:"topic,omitempty"`
		TimeoutMs uint32   `json:"timeoutMs,omitempty"`
		Records   []Record `json:"records,omitempty"`
	}
	// Record is a Kafka message.
	Record struct {
		Partition   int32    `json:"partition,omitempty"`
		Offset      int64    `json:"offset,omitempty,string"`
		TimestampMs *int64   `json:"timestampMs,omitempty,string"`
		Key         []byte   `json:"key"`
		Value       []byte   `json:"value"`
		Headers     []Header `json:"headers,omitempty"`
		Attempt     uint32   `json:"attempt,omitempty"`
		Topic       string   `json:"topic,omitempty"`
	}
	// Header is one header.
	Header struct {
		Name  []byte `json:"name,omitempty"`
		Value []byte `json:"value"`
	}
	// ByteCredit allows more bytes of Results.
	ByteCredit struct {
		Bytes uint64 `json:"bytes,omitempty,string"`
	}
	// Ping asks for a Pong with its id, and has the fields of a Pong.
	Ping struct {
		ID uint64 `json:"id,omitempty,string"`
	}
	// Close ends a connection.
	Close struct {
		Error string `json:"error,omitempty"`
	}

	// ProcessFrame is what a process sends.
	ProcessFrame struct {
		Hello   *ProcessHello `json:"hello,omitempty"`
		Results *Results      `json:"results,omitempty"`
		Credit  *BatchCredit  `json:"credit,omitempty"`
		Pong    *Ping         `json:"pong,omitempty"`
		Drained *struct{}     `json:"drained,omitempty"`
		Close   *Close        `json:"close,omitempty"`
	}
	// ProcessHello is the first message of a process.
	ProcessHello struct {
		MinVersion    uint32 `json:"minVersion,omitempty"`
		MaxVersion    uint32 `json:"maxVersion,omitempty"`
		SDK           string `json:"sdk,omitempty"`
		PID           int64  `json:"pid,omitempty,string"`
		MaxRecords    uint32 `json:"maxRecords,omitempty"`
		MaxBytes      uint64 `json:"maxBytes,omitempty,string"`
		LingerMs      uint32 `json:"lingerMs,omitempty"`
		BatchCredit   uint32 `json:"batchCredit,omitempty"`
		MaxFrameBytes uint64 `json:"maxFrameBytes,omitempty,string"`
	}
	// Results are results of one batch.
	Results struct {
		Batch   uint64   `json:"batch,omitempty,string"`
		Results []Result `json:"results,omitempty"`
		Failure *Failure `json:"failure,omitempty"`
	}
	// Result ends one record of a batch.
	Result struct {
		Index   uint32   `json:"index,omitempty"`
		Outputs []Output `json:"outputs,omitempty"`
		Failure *Failure `json:"failure,omitempty"`
	}
	// Output is one record to write.
	Output struct {
		Value       []byte   `json:"value"`
		Key         []byte   `json:"key"`
		Headers     []Header `json:"headers,omitempty"`
		Topic       string   `json:"topic,omitempty"`
		TimestampMs *int64   `json:"timestampMs,omitempty,string"`
		SameKey     bool     `json:"sameKey,omitempty"`
		SameValue   bool     `json:"sameValue,omitempty"`
		SameHeaders bool     `json:"sameHeaders,omitempty"`
	}
	// Failure says why a record has no results.
	Failure struct {
		Kind            string `json:"kind,omitempty"`
		Message         string `json:"message,omitempty"`
		Detail          string `json:"detail,omitempty"`
		RetryAfterMs    uint32 `json:"retryAfterMs,omitempty"`
		DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
	}
	// BatchCredit allows more batches.
	BatchCredit struct {
		Batches uint32 `json:"batches,omitempty"`
	}
)

// EncodeFrame is Encode for a *WorkerFrame or a *ProcessFrame.
func EncodeFrame[F *WorkerFrame | *ProcessFrame](f F) ([]byte, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	from := Worker
	if _, ok := any(f).(*ProcessFrame); ok {
		from = Process
	}
	return Encode(from, text)
}

// DecodeFrame is Decode into a *WorkerFrame or a *ProcessFrame.
func DecodeFrame[F *WorkerFrame | *ProcessFrame](message []byte, f F) error {
	from := Worker
	if _, ok := any(f).(*ProcessFrame); ok {
		from = Process
	}
	text, err := Decode(from, message)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, f)
}
