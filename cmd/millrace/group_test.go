package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

const sampleGroup = "millrace-default.sample"

// groupOf returns a group with the given committed offsets.
func groupOf(committed []int64) *groupWatch {
	w := &groupWatch{first: &groupView{committed: committed}}
	w.last.Store(&groupView{committed: slices.Clone(committed)})
	return w
}

func member(id string) admin.GroupMember {
	return admin.GroupMember{ID: id, ClientID: "client", Host: "host"}
}

// TestNamespaceOfAManifest: as for kubectl.
func TestNamespaceOfAManifest(t *testing.T) {
	for _, c := range []struct{ own, flag, want string }{
		{"", "", "default"}, {"", "shop", "shop"}, {"shop", "", "shop"}, {"shop", "shop", "shop"}, {"shop", "other", ""},
	} {
		manifest := baseManifest + copying
		if c.own != "" {
			manifest = strings.Replace(manifest, "{name: sample}", "{name: sample, namespace: "+c.own+"}", 1)
		}
		s := &session{opts: runOptions{manifest: writeFile(t, "m.yaml", []byte(manifest)), namespace: c.flag}}
		err := s.load()
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "--namespace is other") {
				t.Errorf("%+v: error %v", c, err)
			}
		} else if want := "millrace-" + c.want + ".sample"; err != nil || s.cfg.Input.GroupID != want {
			t.Errorf("%+v: group %s, want %s; error %v", c, s.cfg.Input.GroupID, want, err)
		}
	}
}

// TestRunNamesItsGroup: --group names another one than the manifest's.
func TestRunNamesItsGroup(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("a")})
	for _, group := range []string{sampleGroup, "another"} {
		args := []string{"-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained"}
		if group != sampleGroup {
			args = append(args, "--group", group)
		}
		o := millraceRun(testContext(t), t, nil, args...)
		if o.err != nil || !slices.Equal(o.lines, []string{"a"}) || !strings.Contains(o.stderr, "joins the consumer group "+group+" of topic in on "+brokers) {
			t.Errorf("%s: %q written, error %v", group, o.lines, o.err)
		}
		if info := cluster.GroupInfo(group); info == nil || info.Commits["in"][0].Offset != 1 {
			t.Errorf("%s: %+v", group, info)
		}
	}
}

// TestUntilDrainedEndsBesideOtherMembers: what others of the group have committed is
// drained, too.
func TestUntilDrainedEndsBesideOtherMembers(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("a")})
	ctx := testContext(t)
	other, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumerGroup(sampleGroup), kgo.ConsumeTopics("in"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.ClientID("other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	records := other.PollFetches(ctx).Records()
	if len(records) != 1 {
		t.Fatalf("the other member has %d records", len(records))
	}
	go func() {
		_, err := cluster.WaitGroupStable(ctx, sampleGroup, 2)
		if err == nil {
			err = other.CommitRecords(ctx, records...)
		}
		if err != nil {
			t.Error(err)
		}
	}()
	o := millraceRun(ctx, t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	if o.err != nil || o.summary.RecordsIn != 0 {
		t.Fatalf("%d records read, error %v", o.summary.RecordsIn, o.err)
	}
	if want := "Other members of the consumer group " + sampleGroup + " have processed the records of topic in."; !strings.Contains(o.stdout, want) {
		t.Errorf("stdout does not say %q", want)
	}
	if want := `The group has 1 other member, client "other" at `; !strings.Contains(o.stderr, want) {
		t.Errorf("stderr does not say %q", want)
	}
}

func TestRunSaysWhyItHasReadNothing(t *testing.T) {
	for name, c := range map[string]struct {
		start     config.StartOffset
		committed []int64
		target    map[int32]int64
		want      string
	}{
		"empty topic": {config.Earliest, []int64{-1, -1}, map[int32]int64{}, "holds no records"},
		"processed":   {config.Earliest, []int64{5, 9}, map[int32]int64{0: 5}, "had processed all records of topic in before"},
		"from end":    {config.Latest, []int64{-1, -1}, map[int32]int64{0: 5}, "begins at the end of topic in"},
		"by others":   {config.Earliest, []int64{4, -1}, map[int32]int64{0: 5}, "Other members of the consumer group g"},
		"both":        {config.Latest, []int64{5, -1}, map[int32]int64{0: 5}, "had processed all records"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{cfg: config.Config{Input: config.Input{Topic: "in", GroupID: "g", StartOffset: c.start}}, group: groupOf(c.committed)}
			if got := s.whyNothing(c.target); !strings.Contains(got, c.want) {
				t.Errorf("%q does not say %q", got, c.want)
			}
		})
	}
	_, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	if o.err != nil || !strings.Contains(o.stdout, "Topic in holds no records.") {
		t.Errorf("stdout %q, error %v", o.stdout, o.err)
	}
}

// TestRunWaitsForADeadMember: a killed member counts until its session ends.
func TestRunWaitsForADeadMember(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("a")})
	ctx := testContext(t)
	// A static member does not leave the group when its client is closed.
	dead, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumerGroup(sampleGroup), kgo.ConsumeTopics("in"), kgo.DisableAutoCommit(),
		kgo.InstanceID("dead"), kgo.SessionTimeout(9*time.Second), kgo.RebalanceTimeout(9*time.Second), kgo.ClientID("killed"))
	if err != nil {
		t.Fatal(err)
	}
	dead.PollFetches(ctx)
	dead.Close()
	o := millraceRun(ctx, t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"a"}) {
		t.Fatalf("%q written, error %v", o.lines, o.err)
	}
	for _, want := range []string{"to join the consumer group: it has 1 other member, client \"killed\"", "until its session ends, in "} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("stderr does not say %q", want)
		}
	}
}

// TestRunFindsATopicThatWasJustCreated: brokers learn of it one after another.
func TestRunFindsATopicThatWasJustCreated(t *testing.T) {
	for _, topic := range []string{"in", "out"} {
		t.Run(topic, func(t *testing.T) {
			cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
			mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("a")})
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Err: kerr.UnknownTopicOrPartition, Count: 3})
			o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
			if o.err != nil || !slices.Equal(o.lines, []string{"a"}) {
				t.Errorf("%q written, error %v", o.lines, o.err)
			}
		})
	}
}

// TestRunWaitsForTheGroupsCoordinator: a new cluster has none for some seconds.
func TestRunWaitsForTheGroupsCoordinator(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 2})
	if o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained"); o.err != nil {
		t.Error(o.err)
	}
}
