package cluster

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

const script = "../../kafka.sh"

// started returns a running cluster.
func started(ctx context.Context, t *testing.T) *Cluster {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		prerequisite.Missing(t, "needs Apache Kafka, and Java is missing (install a JRE of version 17 or newer)")
	}
	if out, err := exec.Command(script, "fetch").CombinedOutput(); err != nil {
		prerequisite.Missing(t, "needs Apache Kafka, which could not be fetched: %s", out)
	}
	c, err := Start(ctx, Config{Dir: t.TempDir(), Script: script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestCluster does once what a chaos run does many times.
func TestCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	c := started(ctx, t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.CreateTopic(ctx, "in", 2, map[string]string{"retention.ms": "100000"}))
	must(c.Grow(ctx, "in", 3))
	if n, err := c.Partitions(ctx, "in"); err != nil || n != 3 {
		t.Fatalf("the topic has %d partitions, %v; want 3", n, err)
	}
	checkInternalTopics(ctx, t, c)
	checkLeadersMove(ctx, t, c)
	checkACLs(ctx, t, c)
	checkTransactions(ctx, t, c)
	checkRetention(ctx, t, c)
	checkKill(ctx, t, c)
}

// checkInternalTopics: one lost broker must not stop the coordinators.
func checkInternalTopics(ctx context.Context, t *testing.T, c *Cluster) {
	for _, topic := range []string{GroupsTopic, TransactionsTopic} {
		p, err := c.partition(ctx, topic, 0)
		if err != nil || len(p.Replicas) != size {
			t.Fatalf("topic %s has replicas %v, %v", topic, p.Replicas, err)
		}
		configs, err := c.admin.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		for _, config := range configs[0].Configs {
			if config.Key == "min.insync.replicas" && *config.Value != "2" {
				t.Errorf("topic %s asks for %s replicas in sync, want 2", topic, *config.Value)
			}
		}
	}
}

func checkLeadersMove(ctx context.Context, t *testing.T, c *Cluster) {
	before, err := c.partition(ctx, "in", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MoveLeaders(ctx, "in", []int32{1}); err != nil {
		t.Fatal(err)
	}
	if after, err := c.partition(ctx, "in", 1); err != nil || after.Leader == before.Leader {
		t.Errorf("broker %d leads before and after the move, %v", before.Leader, err)
	}
	for _, topic := range []string{GroupsTopic, TransactionsTopic} {
		coordinator := func() int32 {
			if topic == GroupsTopic {
				return c.admin.FindGroupCoordinators(ctx, "some-name")["some-name"].NodeID
			}
			return c.admin.FindTxnCoordinators(ctx, "some-name")["some-name"].NodeID
		}
		before := coordinator()
		if err := c.MoveCoordinator(ctx, topic, "some-name"); err != nil {
			t.Fatal(err)
		}
		err := until(ctx, "wait for the move", func(context.Context) error {
			if coordinator() == before {
				return kerr.NotCoordinator
			}
			return nil
		})
		if err != nil {
			t.Errorf("the coordinator of topic %s did not move: %v", topic, err)
		}
		if err := c.MoveCoordinatorTo(ctx, topic, "some-name", int(before)); err != nil {
			t.Error(err)
		}
	}
}

// checkACLs: the workers' user may write until that is denied, and again afterwards.
func checkACLs(ctx context.Context, t *testing.T, c *Cluster) {
	name, password := c.User()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.SubjectAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.SASL(plain.Auth{User: name, Pass: password}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	write := func() error {
		return client.ProduceSync(ctx, &kgo.Record{Topic: "in", Value: []byte("x")}).FirstErr()
	}
	acl := ACL{kmsg.ACLResourceTypeTopic, "in", kmsg.ACLOperationWrite}
	if err := write(); err != nil {
		t.Fatalf("write with all permissions: %v", err)
	}
	if err := c.Deny(ctx, acl); err != nil {
		t.Fatal(err)
	}
	denied := until(ctx, "wait for the denial", func(context.Context) error {
		if write() == nil {
			return kerr.UnknownServerError
		}
		return nil
	})
	if denied != nil {
		t.Fatal(denied)
	}
	if err := c.Restore(ctx, acl); err != nil {
		t.Fatal(err)
	}
	if err := until(ctx, "wait for the permission", func(context.Context) error { return write() }); err != nil {
		t.Error(err)
	}
}

func checkTransactions(ctx context.Context, t *testing.T, c *Cluster) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Direct()...), kgo.TransactionalID("checked"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "in", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	open, err := c.OpenTransactions(ctx)
	if err != nil || len(open) != 1 || open[0].ID != "checked" || open[0].State != "Ongoing" || open[0].Partitions != 1 {
		t.Errorf("the open transactions are %+v, %v", open, err)
	}
	if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	err = until(ctx, "wait for the end of the transaction", func(ctx context.Context) error {
		if open, err := c.OpenTransactions(ctx); err != nil || len(open) > 0 {
			return kerr.ConcurrentTransactions
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func checkRetention(ctx context.Context, t *testing.T, c *Cluster) {
	before, err := c.Ends(ctx, "in")
	if err != nil || before[0].End == 0 || before[0].Stable != before[0].End {
		t.Fatalf("the log's ends are %+v, %v", before, err)
	}
	if err := c.DeleteRecords(ctx, "in", map[int32]int64{0: before[0].End}); err != nil {
		t.Fatal(err)
	}
	if after, err := c.Ends(ctx, "in"); err != nil || after[0].Start != before[0].End {
		t.Errorf("after the deletion the log's ends are %+v, %v", after[0], err)
	}
}

// checkKill: a broker comes back after a kill, with another configuration, and the cluster
// is whole again.
func checkKill(ctx context.Context, t *testing.T, c *Cluster) {
	c.Pause(2)
	c.Kill(2) // also while it hangs
	if c.Running(2) {
		t.Error("a killed broker is running")
	}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if c.AwaitInSync(short) == nil {
		t.Error("the cluster is whole without a broker")
	}
	if err := c.Run(ctx, 2, map[string]string{"offset.metadata.max.bytes": "17"}); err != nil {
		t.Fatal(err)
	}
	if err := c.AwaitInSync(ctx); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(c.brokers[2].propertiesFile()); err != nil || !strings.Contains(string(content), "offset.metadata.max.bytes=17") {
		t.Errorf("the override is not in the configuration: %v\n%s", err, content)
	}
}

// TestPartitionOf: the partitions are those of Kafka, whose hash is Java's.
func TestPartitionOf(t *testing.T) {
	for _, c := range []struct {
		key        string
		partitions int32
		want       int32
	}{
		{"", 3, 0},
		{"a", 50, 47},                 // 97
		{"polygenelubricants", 50, 0}, // the smallest int, which has no positive counterpart
		{"millrace-chaos.main", 3, 1},
		{"gr\u00fc\u00dfe-\U0001f600", 1000, 577}, // Java counts two units for the last
	} {
		if got := partitionOf(c.key, c.partitions); got != c.want {
			t.Errorf("partitionOf(%q, %d) = %d, want %d", c.key, c.partitions, got, c.want)
		}
	}
}

func TestSuccessor(t *testing.T) {
	for _, c := range []struct {
		leader           int32
		replicas, inSync []int32
		want             int32
		ok               bool
	}{
		{0, []int32{0, 1, 2}, []int32{0, 1, 2}, 1, true},
		{2, []int32{0, 1, 2}, []int32{0, 2}, 0, true},
		{-1, []int32{0, 1, 2}, []int32{1}, 1, true},
		{1, []int32{0, 1, 2}, []int32{1}, 0, false},
	} {
		if got, ok := successor(c.leader, c.replicas, c.inSync); got != c.want || ok != c.ok {
			t.Errorf("successor(%d, %v, %v) = %d, %v; want %d, %v", c.leader, c.replicas, c.inSync, got, ok, c.want, c.ok)
		}
	}
}
