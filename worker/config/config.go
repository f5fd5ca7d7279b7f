// Package config is the worker's configuration file: its fields, defaults and
// checks. The operator writes it into a ConfigMap, `millrace run` makes it from
// a manifest, and worker.Run takes it; nothing of it is Kubernetes'.
package config

// Config is the content of /etc/millrace/worker.yaml. Durations are written
// like "30s", byte counts like 64Mi or 67108864. See Default for what an
// absent field means, and Validate for what is allowed.
type Config struct {
	// Version is that of the file's meaning. See the constant of this name.
	Version int `json:"version"`
	// Name is the StreamProcessor's name; it labels metrics and is the client
	// id's prefix.
	Name string `json:"name"`
	// Kafka is the cluster of the input topic, the consumer group and the dead
	// letters.
	Kafka     Kafka     `json:"kafka"`
	Input     Input     `json:"input"`
	Output    Output    `json:"output"`
	Processor Processor `json:"processor"`
	Ordering  Ordering  `json:"ordering"`
	Delivery  Delivery  `json:"delivery"`
	// Concurrency is the number of goroutines in the pool of one member. If it is
	// absent, it is the container's CPU limit (GOMAXPROCS).
	Concurrency int      `json:"concurrency,omitempty"`
	InFlight    InFlight `json:"inFlight"`
	Failure     Failure  `json:"failure"`
	// DrainTimeout bounds how long a stop or a revoke waits for what is in
	// flight. StopTimeout is how long the whole stop may take then.
	DrainTimeout Duration  `json:"drainTimeout"`
	Telemetry    Telemetry `json:"telemetry"`
	// StateDir is a directory that outlives a process and that no other one
	// uses: members note in it who they are, so that the next process can take
	// them out of the group at once if this one is killed. "" is none: their
	// sessions time out.
	StateDir string `json:"stateDir,omitempty"`
	// Members is how many members of the consumer group this process runs.
	Members int `json:"members"`
}

// Input is the topic that is read.
type Input struct {
	Topic string `json:"topic"`
	// GroupID is the consumer group; if it is absent, "millrace-" + Name.
	GroupID string `json:"groupId,omitempty"`
	// StartOffset is where partitions start that the group finds at its very
	// first start; others without a committed offset start at their first record.
	StartOffset    StartOffset    `json:"startOffset"`
	IsolationLevel IsolationLevel `json:"isolation"`
	// OnDataLoss says what to do in a partition of which Kafka has lost
	// offsets.
	OnDataLoss OnDataLoss `json:"onDataLoss"`
	// InstanceID makes the membership static; members after the first get
	// "-1", "-2", ... appended.
	InstanceID     string   `json:"instanceId,omitempty"`
	SessionTimeout Duration `json:"sessionTimeout"`
}

// Output says where results go and how they are written.
type Output struct {
	// Topic is for the results that name none. If it is absent, each result must
	// name its topic.
	Topic string `json:"topic,omitempty"`
	// Kafka is the cluster of the results; nil is Config.Kafka.
	Kafka       *Kafka      `json:"kafka,omitempty"`
	Compression Compression `json:"compression"`
	// Create, if set, makes the topic when it does not exist.
	Create *CreateTopic `json:"create,omitempty"`
	// Linger is how long a result may wait for others to fill its batch.
	Linger Duration `json:"linger"`
	// DeliveryTimeout is how long a partition may refuse results without a known
	// reason, for example with an unknown server error, before the policy decides
	// about their records. Outages don't count: results wait until they end.
	DeliveryTimeout Duration `json:"deliveryTimeout"`
}

// CreateTopic is the shape of a topic to be made.
type CreateTopic struct {
	Partitions int32 `json:"partitions"`
	// ReplicationFactor is the cluster's default if it is absent.
	ReplicationFactor int16 `json:"replicationFactor,omitempty"`
}

// Processor is set for a built-in processor; a user's own program passes its
// code to worker.Main and leaves it empty.
type Processor struct {
	CEL *CEL `json:"cel,omitempty"`
}

// CEL holds the expressions of the built-in processor "cel". An absent one
// keeps what the record has; with none at all the record is copied.
type CEL struct {
	Filter  string            `json:"filter,omitempty"`
	Key     string            `json:"key,omitempty"`
	Value   string            `json:"value,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Topic   string            `json:"topic,omitempty"`
}

// InFlight bounds what has been read and is not settled, for one member.
type InFlight struct {
	Records int `json:"records"`
	// Bytes bounds the records in flight, and also all the memory that the input
	// takes: what is fetched and waits, what is unpacked, and what records in
	// flight keep alive. A partition that has nothing in flight may take one log
	// batch on top, one partition at a time. A compressed log batch that holds
	// more than Bytes, and more than 16 MiB, halts its partition.
	Bytes Bytes `json:"bytes"`
}

// Failure is what happens to a record whose attempt fails.
type Failure struct {
	MaxAttempts int     `json:"maxAttempts"`
	Backoff     Backoff `json:"backoff"`
	// Timeout bounds one attempt. 0 is the default, so a very long one (720h)
	// is the way to have practically none.
	Timeout Duration `json:"timeout"`
	// OnExhausted, if empty, is DeadLetter when DeadLetter.Topic is set, and
	// Halt otherwise.
	OnExhausted OnExhausted `json:"onExhausted"`
	DeadLetter  DeadLetter  `json:"deadLetter,omitempty"`
	// StallTimeout is how long nothing may move while there is work, no attempt
	// runs and no record waits for its next one, before /healthz fails. Absent,
	// it is twice the Timeout, and 2 minutes at least.
	StallTimeout Duration `json:"stallTimeout"`
}

// Backoff is the wait between attempts: exponential with jitter.
type Backoff struct {
	Initial Duration `json:"initial"`
	Max     Duration `json:"max"`
}

// DeadLetter is where exhausted records go.
type DeadLetter struct {
	Topic  string       `json:"topic,omitempty"`
	Create *CreateTopic `json:"create,omitempty"`
	// OnRefused is what happens to a record whose letter the broker refuses for
	// good, even without the record's value: Halt, the default, halts its
	// partition; Drop drops the record with an error in the log.
	OnRefused OnExhausted `json:"onRefused,omitempty"`
}

// Telemetry is what the worker serves about itself.
type Telemetry struct {
	// Listen is the address of /metrics, /healthz, /readyz and /status; ""
	// serves nothing. A file that does not have the field means ":8080".
	Listen string `json:"listen"`
	// LogFormat is json, text or auto (text on a terminal).
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

// Delivery is the guarantee.
type Delivery string

// The deliveries.
const (
	AtLeastOnce Delivery = "AtLeastOnce"
	ExactlyOnce Delivery = "ExactlyOnce"
)

// StartOffset is where reading starts when nothing is committed.
type StartOffset string

// The start offsets.
const (
	Earliest StartOffset = "Earliest"
	Latest   StartOffset = "Latest"
)

// OnDataLoss says what to do in a partition of which Kafka has lost offsets:
// retention deleted records that were not read yet, the log was truncated, or
// the topic was deleted and created again.
type OnDataLoss string

// The reactions.
const (
	// ContinueOnLoss reports the loss and reads on with what there is.
	ContinueOnLoss OnDataLoss = "Continue"
	// HaltOnLoss reads no more of the partition; all others go on.
	HaltOnLoss OnDataLoss = "Halt"
)

// IsolationLevel says whether records of open and aborted transactions are
// read.
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

// OnExhausted is what happens to a record after its last attempt.
type OnExhausted string

// The policies.
const (
	ToDeadLetter OnExhausted = "DeadLetter"
	Drop         OnExhausted = "Drop"
	Halt         OnExhausted = "Halt"
)

// LogFormat is how log lines are written.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = "auto"
	LogJSON LogFormat = "json"
	LogText LogFormat = "text"
)

// LogLevel is how much is logged.
type LogLevel string

// The log levels.
const (
	// LogInfo logs what changes or goes wrong. Of what may go wrong with each
	// record it logs a few lines a second.
	LogInfo LogLevel = "Info"
	// LogDebug logs each failed attempt too, and the client's requests that
	// are tried again.
	LogDebug LogLevel = "Debug"
)
