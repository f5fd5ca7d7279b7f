package engine_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// apart makes the results of a rig's workers go to another cluster, to the topic
// of the input's name there. "named" is a topic for records to name.
func (r *rig) apart(output *kafkatest.Cluster) *rig {
	r.t.Helper()
	for _, topic := range []string{"in", "named"} {
		output.CreateTopic(topic, 2, nil)
	}
	r.cfg.Output.Topic = "in"
	r.cfg.Output.Kafka = &config.Kafka{BootstrapServers: output.Addrs()}
	return &rig{t: r.t, cluster: output}
}

// sorts copies records with even values, names the topic "named" for the others,
// and fails for multiples of ten.
var sorts = worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
	n, err := strconv.Atoi(string(rec.Value))
	switch {
	case err != nil:
		return nil, err
	case n%10 == 0:
		return nil, errPoison
	case n%2 == 0:
		return []worker.Output{{Value: rec.Value}}, nil
	default:
		return []worker.Output{{Value: rec.Value, Topic: "named"}}, nil
	}
})

// TestResultsGoToAnotherCluster: results go to the output's cluster, those to named
// topics too. Dead letters and offsets stay on the input's.
func TestResultsGoToAnotherCluster(t *testing.T) {
	fake := func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Fake(t).Cluster }
	apache := func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Apache(t).Cluster }
	for name, start := range map[string][2]func(*testing.T) *kafkatest.Cluster{
		"kfake to kfake":  {fake, fake},
		"kfake to Apache": {fake, apache},
		"Apache to kfake": {apache, fake},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, start[0](t), 3)
			output := r.apart(start[1](t))
			const n = 1000
			r.produce(0, n, 20)
			w := r.start(sorts)
			r.awaitSettled(w)
			w.drain()
			all := output.values("in")
			for value, count := range output.values("named") {
				all[value] += count
			}
			if even, letters := len(output.values("in")), r.values("dlq"); even != n*4/10 || len(letters) != n/10 {
				t.Errorf("%d even records and %d dead letters, want %d and %d", even, len(letters), n*4/10, n/10)
			} else {
				for value, count := range letters {
					all[value] += count
				}
			}
			wantEach(t, all, 0, n, false)
			if got := len(r.values("in")); got != n {
				t.Errorf("%d records in the input topic, want the %d that were produced", got, n)
			}
			committed := int64(0)
			for _, c := range r.cluster.GroupOffsets("group")["in"] {
				committed += c.Offset
			}
			if committed != n {
				t.Errorf("%d offsets are committed on the input's cluster, want %d", committed, n)
			}
		})
	}
}

// TestOutputsClusterAway: while no broker of the output's cluster answers, the worker
// keeps its membership, writes dead letters, and says which cluster does not answer.
func TestOutputsClusterAway(t *testing.T) {
	t.Run("kfake", func(t *testing.T) {
		dir := kfake.DataDir(t.TempDir())
		fake := kafkatest.Fake(t, dir)
		port := portOf(t, fake.Addrs()[0])
		outputAway(t, &fake.Cluster, fake.Faults.Close, func() { kafkatest.Fake(t, dir, kfake.Ports(port)) })
	})
	t.Run("Apache", func(t *testing.T) {
		broker := kafkatest.Apache(t)
		outputAway(t, &broker.Cluster, broker.Kill, broker.Start)
	})
}

func outputAway(t *testing.T, cluster *kafkatest.Cluster, down, up func()) {
	const session = 6 * time.Second
	r, _ := fakeRig(t, 2)
	output := r.apart(cluster)
	w := r.start(sorts, func(c *config.Config) { c.Input.SessionTimeout = duration(session) })
	r.produce(1, 99, 10)
	r.awaitSettled(w)
	before := w.engine.Status().Members[0]

	down()
	r.produce(101, 99, 10) // 102 and so on wait to be written
	r.eventually("dead letters are written", func() bool { return len(r.values("dlq")) == 18 })
	r.eventually("the output's cluster is away for longer than a session", func() bool {
		silent := w.engine.Status().Silent
		return len(silent) == 1 && silent[0].Cluster == "output" && time.Since(silent[0].Since) > 2*session
	})
	silent := w.engine.Status().Silent[0]
	if address := cluster.Addrs()[0]; !strings.Contains(silent.Error, address) {
		t.Errorf("/status says of the output's cluster %q, which does not name %s", silent.Error, address)
	}
	if stuck := w.engine.Progress().Stuck; !strings.Contains(stuck, "the output's cluster has not answered for") {
		t.Errorf("the health check says %q, which does not name the output's cluster", stuck)
	}
	if len(w.log.lines("cluster=output")) == 0 {
		t.Error("the log does not name the output's cluster")
	}

	up()
	r.awaitSettled(w)
	after := w.engine.Status()
	if m := after.Members[0]; m.ID != before.ID || m.Generation != before.Generation {
		t.Errorf("member %s of generation %d, before %s of %d: the membership was lost", m.ID, m.Generation, before.ID, before.Generation)
	}
	if len(after.Silent) > 0 {
		t.Errorf("the cluster answers, and /status calls it silent: %+v", after.Silent)
	}
	w.drain()
	all := output.values("in")
	for _, topic := range []map[string]int{output.values("named"), r.values("dlq")} {
		for value, count := range topic {
			all[value] += count
		}
	}
	delete(all, "100")
	wantEach(t, all, 1, 99, false)
	wantEach(t, all, 101, 99, false)
}

// TestLettersOfRefusedResultsKeepTheirOrder: the letters of results that the output's
// cluster refuses keep the order of a key's records, as they do in one cluster.
func TestLettersOfRefusedResultsKeepTheirOrder(t *testing.T) {
	r, _ := fakeRig(t, 1)
	output := kafkatest.Fake(t)
	output.CreateTopic("small", 1, map[string]string{"max.message.bytes": "500"})
	const n = 500
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		return []worker.Output{{Key: rec.Key, Value: make([]byte, 1000)}}, nil
	}), func(c *config.Config) {
		c.Ordering = config.Key
		c.Output.Topic, c.Output.Kafka = "small", &config.Kafka{BootstrapServers: output.Addrs()}
	})
	r.produce(0, n, 1)
	r.awaitSettled(w)
	w.drain()
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != n {
		t.Fatalf("%d letters for %d records", len(letters), n)
	}
	for i, letter := range letters {
		if string(letter.Value) != strconv.Itoa(i) {
			t.Fatalf("letter %d is of record %s", i, letter.Value)
		}
	}
}

// At its start a worker says which cluster it waits for.
func TestClusterThatIsWaitedFor(t *testing.T) {
	away := kafkatest.UnusedAddr(t)
	for cluster, change := range map[string]func(*config.Config){
		"the input's cluster (kafka)":         func(c *config.Config) { c.Kafka.BootstrapServers = []string{away} },
		"the output's cluster (output.kafka)": func(c *config.Config) { c.Output.Kafka.BootstrapServers = []string{away} },
		"the output's cluster (output.kafka) ": func(c *config.Config) {
			c.Output = config.Output{Kafka: &config.Kafka{BootstrapServers: []string{away}}}
		},
	} {
		t.Run(cluster, func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			r.apart(&kafkatest.Fake(t).Cluster)
			w := r.start(identity, change)
			await(t, "the worker says what it waits for", func() bool {
				waiting, err := w.engine.Status().Waiting, w.engine.Ready()
				return err != nil && strings.Contains(err.Error(), waiting) && strings.Contains(waiting, strings.TrimSpace(cluster)+": ") &&
					strings.Contains(waiting, away)
			})
		})
	}
}

// TestTwoAddressesOfOneCluster: two addresses of one cluster are not two clusters. The
// worker would read its own output.
func TestTwoAddressesOfOneCluster(t *testing.T) {
	r, fake := fakeRig(t, 1)
	_, port, _ := strings.Cut(fake.Addrs()[0], ":")
	err := r.start(identity, func(c *config.Config) {
		c.Output = config.Output{Topic: "in", Kafka: &config.Kafka{BootstrapServers: []string{"localhost:" + port}}}
	}).wait()
	if err == nil || !strings.Contains(err.Error(), `output.topic: "in"`) || !strings.Contains(err.Error(), "correct output.kafka") {
		t.Errorf("the worker ends with: %v; want an error about output.topic and output.kafka", err)
	}
}

// TestNamedTopicIsMissingOnTheOutputsCluster: a record names a topic that exists on the
// input's cluster only. The dead letter says that the output's cluster lacks it.
func TestNamedTopicIsMissingOnTheOutputsCluster(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.apart(&kafkatest.Fake(t).Cluster)
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		return []worker.Output{{Value: rec.Value, Topic: "dlq"}}, nil // exists on the input's cluster only
	}))
	r.produce(0, 1, 1)
	r.awaitSettled(w)
	w.drain()
	text := fmt.Sprint(letterErrors(r))
	if !strings.Contains(text, "the output's cluster (output.kafka)") || !strings.Contains(text, `topic "dlq"`) {
		t.Errorf("the letter says %s", text)
	}
}

// TestWithoutAnOutputTopic: a worker without an output topic writes to the topics that
// its results name. A result without a topic exhausts its record at once.
func TestWithoutAnOutputTopic(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.cluster.CreateTopic("named", 1, nil)
	var attempts atomic.Int64
	w := r.start(worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		switch string(rec.Value) {
		case "0":
			return []worker.Output{{Value: rec.Value, Topic: "named"}}, nil
		case "1":
			attempts.Add(1)
			return []worker.Output{{Value: rec.Value}}, nil
		default:
			return nil, nil
		}
	}), func(c *config.Config) { c.Output = config.Output{} })
	r.produce(0, 20, 10)
	r.awaitSettled(w)
	w.drain()
	if tried, named, out := attempts.Load(), len(r.values("named")), len(r.values("out")); tried != 1 || named != 1 || out != 0 {
		t.Errorf("%d attempts of the record without a topic, %d records named, %d out; want 1, 1 and none", tried, named, out)
	}
	if text := fmt.Sprint(letterErrors(r)); !strings.Contains(text, "set output.topic, or name a topic in each result") {
		t.Errorf("the letter says %s", text)
	}
}

// letterErrors returns the errors that the dead letters give.
func letterErrors(r *rig) []string {
	var found []string
	for _, rec := range r.cluster.ConsumeAll("dlq", kgo.ReadCommitted()) {
		found = append(found, headers(rec)[failure.HeaderError])
	}
	return found
}
