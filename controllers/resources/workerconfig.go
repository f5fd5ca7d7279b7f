package resources

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// listen is the address at which workers serve their telemetry.
const listen = ":8080"

// WorkerConfig returns the configuration of sp's workers, with defaults. If a worker could not
// run with it, WorkerConfig returns all errors, each with the path of its field in the
// manifest. The files with credentials are below the directory dir; Credentials lists
// them.
func WorkerConfig(sp *v1alpha1.StreamProcessor, dir string) (config.Config, error) {
	cfg, err := convert(sp, dir)
	err = errors.Join(checkName(sp), checkProcessor(sp.Spec.Processor), checkZeros(&sp.Spec), checkCredentials(&sp.Spec), err)
	if err == nil {
		err = manifestPaths(cfg.Validate())
	}
	if err != nil {
		return config.Config{}, err
	}
	return cfg, nil
}

// convert returns an error for a value that the configuration can't express.
func convert(sp *v1alpha1.StreamProcessor, dir string) (config.Config, error) {
	spec := &sp.Spec
	creds := credentials{place: asFiles(dir)}
	size, err := byteCount("spec.inFlight.bytes", spec.InFlight.Bytes)
	beside, sidecarErr := sidecarConfig(spec.Processor)
	err = errors.Join(err, sidecarErr)
	cfg := config.Config{
		Name:         sp.Name,
		Kafka:        creds.kafka("spec.kafka", spec.Kafka),
		Input:        creds.input(spec.Input),
		Output:       creds.output(spec.Output),
		Processor:    config.Processor{CEL: Expressions(spec.Processor), Sidecar: beside},
		Ordering:     config.Ordering(spec.Ordering),
		Delivery:     config.Delivery(spec.Delivery),
		Transaction:  transaction(spec.Transaction),
		Concurrency:  concurrency(sp),
		InFlight:     config.InFlight{Records: number(spec.InFlight.Records), Bytes: size},
		Failure:      failure(spec.Failure),
		DrainTimeout: duration(spec.DrainTimeout),
		Telemetry:    config.Telemetry{Listen: listen, LogLevel: config.LogLevel(spec.LogLevel)},
	}
	cfg.Input.GroupID = GroupID(sp)
	config.Default(&cfg)
	return cfg, err
}

// GroupID returns the consumer group of sp. The default contains the namespace, if there is
// one, so that StreamProcessors of one name in different namespaces don't share a group by
// accident. Namespaces contain no dots, so no two of these groups are the same.
func GroupID(sp *v1alpha1.StreamProcessor) string {
	switch {
	case sp.Spec.Input.GroupID != nil:
		return *sp.Spec.Input.GroupID
	case sp.Namespace != "":
		return "millrace-" + sp.Namespace + "." + sp.Name
	default:
		return "millrace-" + sp.Name
	}
}

func (c *credentials) input(i v1alpha1.InputSpec) config.Input {
	return config.Input{
		Topic:          i.Topic,
		StartOffset:    config.StartOffset(i.StartOffset),
		IsolationLevel: config.IsolationLevel(i.Isolation),
		OnDataLoss:     config.OnDataLoss(i.OnDataLoss),
		Schema:         c.inputSchema(i.Schema),
	}
}

func (c *credentials) output(o *v1alpha1.OutputSpec) config.Output {
	if o == nil {
		return config.Output{}
	}
	cfg := config.Output{
		Topic:       o.Topic,
		Compression: config.Compression(o.Compression),
		Create:      createTopic(o.Create),

		DeliveryTimeout: duration(o.DeliveryTimeout),
	}
	if o.Kafka != nil {
		cfg.Kafka = new(c.kafka("spec.output.kafka", *o.Kafka))
	}
	cfg.Schema = c.outputSchema(o.Schema)
	return cfg
}

// Expressions returns those of the built-in processor, nil for another processor.
func Expressions(p v1alpha1.ProcessorSpec) *config.CEL {
	if p.CEL == nil {
		return nil
	}
	return &config.CEL{
		Filter:  p.CEL.Filter,
		Key:     p.CEL.Key,
		Value:   p.CEL.Value,
		Values:  p.CEL.Values,
		Headers: p.CEL.Headers,
		Topic:   p.CEL.Topic,
	}
}

func transaction(t *v1alpha1.TransactionSpec) config.Transaction {
	if t == nil {
		return config.Transaction{}
	}
	return config.Transaction{Interval: duration(t.Interval), Timeout: duration(t.Timeout)}
}

func failure(f v1alpha1.FailureSpec) config.Failure {
	cfg := config.Failure{
		MaxAttempts: number(f.MaxAttempts),
		Backoff:     config.Backoff{Initial: duration(f.Backoff.Initial), Max: duration(f.Backoff.Max)},
		Timeout:     duration(f.Timeout),
		OnExhausted: config.OnExhausted(f.OnExhausted),

		StallTimeout: duration(f.StallTimeout),
	}
	if f.DeadLetter != nil {
		cfg.DeadLetter = config.DeadLetter{
			Topic:     f.DeadLetter.Topic,
			Create:    createTopic(f.DeadLetter.Create),
			OnRefused: config.OnExhausted(f.DeadLetter.OnRefused),
		}
	}
	return cfg
}

func createTopic(c *v1alpha1.CreateTopicSpec) *config.CreateTopic {
	if c == nil {
		return nil
	}
	topic := &config.CreateTopic{Partitions: c.Partitions}
	if c.ReplicationFactor != nil {
		topic.ReplicationFactor = *c.ReplicationFactor
	}
	return topic
}

// number and duration return 0 for an absent value. config.Default replaces the 0.
func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

func duration(d *metav1.Duration) config.Duration {
	if d == nil {
		return config.Duration{}
	}
	return config.Duration{Duration: d.Duration}
}
