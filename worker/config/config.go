// Package config defines the worker's configuration file: its fields, defaults and
// checks. The operator writes it into a ConfigMap, `millrace run` makes it from a
// manifest, and worker.Run takes it. The package knows nothing of Kubernetes.
package config

// Config is the content of /etc/millrace/worker.yaml. The file holds durations like
// "30s", and byte counts like 64Mi or 67108864. Default fills absent fields, and
// Validate checks the values.
type Config struct {
	// Version is the version of the file's format; see the constant Version.
	Version int `json:"version"`
	// Name is the StreamProcessor's name. Metrics have it as a label, and client ids
	// begin with it.
	Name string `json:"name"`
	// Kafka is the cluster of the input topic, the consumer group and the dead
	// letters.
	Kafka     Kafka     `json:"kafka"`
	Input     Input     `json:"input"`
	Output    Output    `json:"output"`
	Processor Processor `json:"processor"`
	Ordering  Ordering  `json:"ordering"`
	Delivery  Delivery  `json:"delivery"`
	// Transaction is for ExactlyOnce, and empty without it.
	Transaction Transaction `json:"transaction,omitzero"`
	// Concurrency is the number of goroutines in the pool of one member. The default
	// is the container's CPU limit (GOMAXPROCS).
	Concurrency int      `json:"concurrency,omitempty"`
	InFlight    InFlight `json:"inFlight"`
	Failure     Failure  `json:"failure"`
	// DrainTimeout bounds how long a stop or a revoke waits for the records in
	// flight. The function StopTimeout returns the bound for the whole stop.
	DrainTimeout Duration  `json:"drainTimeout"`
	Telemetry    Telemetry `json:"telemetry"`
	// StateDir is a directory that outlives the process and that no other process
	// uses. Members note their ids in it. If the process is killed, the next one
	// removes these members from the group at once. Without a directory ("") the
	// group waits until their sessions time out.
	StateDir string `json:"stateDir,omitempty"`
	// Members is the number of members of the consumer group that this process runs.
	Members int `json:"members"`
}

// Input says which topic the worker reads, and how.
type Input struct {
	Topic string `json:"topic"`
	// GroupID is the consumer group. The default is "millrace-" and Name.
	GroupID string `json:"groupId,omitempty"`
	// StartOffset says where the worker begins in the partitions that the group finds
	// at its very first start. In partitions that the topic gets later it begins with
	// the first record.
	StartOffset    StartOffset    `json:"startOffset"`
	IsolationLevel IsolationLevel `json:"isolation"`
	// OnDataLoss says how the worker reacts when Kafka has lost offsets of a
	// partition.
	OnDataLoss OnDataLoss `json:"onDataLoss"`
	// InstanceID makes the membership static. Members after the first one append
	// "-1", "-2" and so on to it.
	InstanceID     string   `json:"instanceId,omitempty"`
	SessionTimeout Duration `json:"sessionTimeout"`
	// Schema makes JSON of values that were written with a registry's schemas; nil leaves
	// them as they are.
	Schema *InputSchema `json:"schema,omitempty"`
}

// Output says where the worker writes results, and how.
type Output struct {
	// Topic is for the results that don't name a topic. Without it, each result must
	// name its topic.
	Topic string `json:"topic,omitempty"`
	// Kafka is the cluster of the results; nil means Config.Kafka.
	Kafka       *Kafka      `json:"kafka,omitempty"`
	Compression Compression `json:"compression"`
	// Create, if set, makes the worker create the topic if it does not exist.
	Create *CreateTopic `json:"create,omitempty"`
	// Linger is how long a result may wait for others to fill its batch.
	Linger Duration `json:"linger"`
	// DeliveryTimeout is how long a partition may refuse results without a known
	// reason, for example with an unknown server error, before the policy decides
	// about their records. Outages don't count: results wait until they end.
	DeliveryTimeout Duration `json:"deliveryTimeout"`
	// Schema writes the results, which are JSON, with a registry's schemas; nil writes them
	// as they are.
	Schema *OutputSchema `json:"schema,omitempty"`
}

// CreateTopic is the shape of a topic that the worker creates.
type CreateTopic struct {
	Partitions int32 `json:"partitions"`
	// ReplicationFactor is the number of replicas. The default is the cluster's.
	ReplicationFactor int16 `json:"replicationFactor,omitempty"`
}

// Processor configures a built-in processor, or one in other processes. It is empty for a
// user's program on the SDK, which passes its code to worker.Main.
type Processor struct {
	CEL *CEL `json:"cel,omitempty"`
	// CELFile is the path of a file with the expressions, in place of CEL. When the file
	// changes, worker.Main goes on with the new expressions, without a restart. See
	// ParseExpressions for its content.
	CELFile string `json:"celFile,omitempty"`
	// Sidecar hands the records to other processes.
	Sidecar *Sidecar `json:"sidecar,omitempty"`
}

// Sidecar configures a processor in other processes.
type Sidecar struct {
	// Socket is the path of the Unix socket on which the worker waits for the processes.
	Socket string       `json:"socket"`
	Batch  SidecarBatch `json:"batch,omitzero"`
}

// SidecarBatch bounds the batches that a process gets. The first process that connects
// sets the limits that are 0.
type SidecarBatch struct {
	MaxRecords int   `json:"maxRecords,omitempty"`
	MaxBytes   Bytes `json:"maxBytes,omitempty"`
	// Linger is how long records may wait for others.
	Linger Duration `json:"linger,omitzero"`
}

// CEL holds the expressions of the built-in processor "cel". Without an expression for
// it, the result keeps that part of the record; without any, it is a copy. Values makes one
// result of each element of a list, in the place of Value.
type CEL struct {
	Filter  string            `json:"filter,omitempty"`
	Key     string            `json:"key,omitempty"`
	Value   string            `json:"value,omitempty"`
	Values  string            `json:"values,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Topic   string            `json:"topic,omitempty"`
}

// Transaction bounds the transactions that ExactlyOnce writes. Each member has one open at
// a time, with the results, the dead letters and the offsets of the records that it settled.
type Transaction struct {
	// Interval is the time after which the member commits a transaction. Readers with
	// the isolation level read_committed see results that much later. A transaction
	// that has grown large, a revoke and a stop end it earlier.
	Interval Duration `json:"interval"`
	// Timeout bounds a transaction that can't be committed, for example during an
	// outage. The member then aborts it and processes its records again; if the member
	// is gone, the cluster aborts it. Until then, readers with read_committed get
	// nothing that was written after it. The default is 10 s, or DrainTimeout if that
	// is shorter.
	Timeout Duration `json:"timeout"`
}

// InFlight bounds the records of one member that are in flight: read, but not settled.
type InFlight struct {
	Records int `json:"records"`
	// Bytes bounds the records in flight, and also all memory of the input: fetched
	// data that waits, unpacked batches, and buffers that records in flight keep
	// alive. A partition that has nothing in flight may exceed the bound by one log
	// batch, one partition at a time. A compressed log batch that unpacks to more
	// than Bytes, and to more than 16 MiB, halts its partition.
	Bytes Bytes `json:"bytes"`
}

// Failure says what happens to a record whose attempt fails.
type Failure struct {
	MaxAttempts int     `json:"maxAttempts"`
	Backoff     Backoff `json:"backoff"`
	// Timeout bounds one attempt. 0 means the default, so set a very long one (720h)
	// to have practically none.
	Timeout Duration `json:"timeout"`
	// OnExhausted says what happens to a record after its last attempt. The default
	// is DeadLetter if DeadLetter.Topic is set, and Halt otherwise.
	OnExhausted OnExhausted `json:"onExhausted"`
	DeadLetter  DeadLetter  `json:"deadLetter,omitempty"`
	// StallTimeout is how long the worker may make no progress before /healthz fails.
	// It counts the time in which there is work, but no attempt runs and no record
	// waits for its next one. The default is twice the Timeout, and at least 2
	// minutes.
	StallTimeout Duration `json:"stallTimeout"`
}

// Backoff is the wait between attempts: exponential with jitter.
type Backoff struct {
	Initial Duration `json:"initial"`
	Max     Duration `json:"max"`
}

// DeadLetter says where exhausted records go.
type DeadLetter struct {
	Topic  string       `json:"topic,omitempty"`
	Create *CreateTopic `json:"create,omitempty"`
	// OnRefused says what happens to a record whose dead letter the broker refuses
	// for good, even without the record's value. Halt, the default, halts its
	// partition; Drop drops the record and logs an error.
	OnRefused OnExhausted `json:"onRefused,omitempty"`
}

// Telemetry says how the worker reports about itself.
type Telemetry struct {
	// Listen is the address of /metrics, /healthz, /readyz and /status. With "" the
	// worker serves none of them. If a file lacks the field, it is ":8080".
	Listen string `json:"listen"`
	// LogFormat is json, text or auto: text on a terminal, json elsewhere.
	LogFormat LogFormat `json:"logFormat"`
	LogLevel  LogLevel  `json:"logLevel"`
}

// Ordering says which records may run at the same time.
type Ordering string

// The orderings.
const (
	Unordered Ordering = "Unordered"
	Key       Ordering = "Key"
	Partition Ordering = "Partition"
)

// Delivery is the guarantee for the delivery of results.
type Delivery string

// The deliveries.
const (
	AtLeastOnce Delivery = "AtLeastOnce"
	ExactlyOnce Delivery = "ExactlyOnce"
)

// StartOffset says where the worker begins to read when nothing is committed.
type StartOffset string

// The start offsets.
const (
	Earliest StartOffset = "Earliest"
	Latest   StartOffset = "Latest"
)

// OnDataLoss says how the worker reacts when Kafka has lost offsets of a partition:
// when retention deleted records before the worker read them, the log was truncated,
// or the topic was deleted and created again.
type OnDataLoss string

// The reactions.
const (
	// ContinueOnLoss reports the loss and reads on where the log goes on.
	ContinueOnLoss OnDataLoss = "Continue"
	// HaltOnLoss halts the partition; all others go on.
	HaltOnLoss OnDataLoss = "Halt"
)

// IsolationLevel says whether the worker reads records of open and aborted
// transactions.
type IsolationLevel string

// The isolation levels.
const (
	ReadCommitted   IsolationLevel = "ReadCommitted"
	ReadUncommitted IsolationLevel = "ReadUncommitted"
)

// Compression is a Kafka codec's name.
type Compression string

// The codecs.
const (
	None   Compression = "none"
	Gzip   Compression = "gzip"
	Snappy Compression = "snappy"
	LZ4    Compression = "lz4"
	Zstd   Compression = "zstd"
)

// OnExhausted says what happens to a record after its last attempt.
type OnExhausted string

// The policies.
const (
	ToDeadLetter OnExhausted = "DeadLetter"
	Drop         OnExhausted = "Drop"
	Halt         OnExhausted = "Halt"
)

// LogFormat is the format of log lines.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = "auto"
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

// LogLevel says how much the worker logs.
type LogLevel string

// The log levels.
const (
	// LogInfo logs changes and errors. Of errors that may happen with each record, it
	// logs a few lines a second.
	LogInfo LogLevel = "Info"
	// LogDebug also logs each failed attempt, and each request that the client
	// repeats.
	LogDebug LogLevel = "Debug"
)
