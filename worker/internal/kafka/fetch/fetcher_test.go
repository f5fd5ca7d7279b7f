package fetch

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestFetcherReadsAllPartitionsOfAllLeaders(t *testing.T) {
	const partitions, perRound = 7, 300
	fake := kafkatest.Fake(t, kfake.NumBrokers(3))
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 2000})
	ends := map[int32]int64{}
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	for round := range 3 {
		for p := range int32(partitions) {
			fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(1000)}, numbered("orders", p, round*perRound, perRound)...)
			ends[p] = int64((round + 1) * perRound)
		}
		r.reads(ends)
	}
	for p := range int32(partitions) {
		r.checkNumbered(p, 3*perRound)
		if m := r.marks[p]; m.high != 3*perRound || m.stable != 3*perRound || m.start != 0 {
			t.Errorf("partition %d: watermarks %+v", p, m)
		}
	}
}

func TestStartInTheMiddleAndStartAnew(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 100)...)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 60)
	r.reads(map[int32]int64{0: 100})
	if got := r.got[0]; len(got) != 40 || got[0].Offset != 60 {
		t.Fatalf("got %d records", len(got))
	}
	old := r.epochs[0]
	r.got[0] = nil
	r.start(0, 0)
	if r.epochs[0] == old || r.epochs[0] == 0 {
		t.Fatalf("epoch %d after %d", r.epochs[0], old)
	}
	r.reads(map[int32]int64{0: 100})
	r.checkNumbered(0, 100)
}

// TestCreditBoundsWhatIsDelivered sees to it that nothing is fetched that was not
// asked for, and that no request is sent when no partition has credit.
func TestCreditBoundsWhatIsDelivered(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 2, nil)
	for p := range int32(2) {
		fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(1000)}, numbered("orders", p, 0, 1000)...)
	}
	observed := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Observe: true, Count: -1})
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 1000, MaxWait: 20 * time.Millisecond})
	r.noAsk = true
	sets := map[int32]int{}
	r.onSet = func(s *batch.Set) { sets[s.Partition]++ }
	r.start(0, 0)
	r.start(1, 0)
	r.until("each has a set", func() bool { return sets[0] == 1 && sets[1] == 1 })
	// Two more for 0, one at a time, none for 1.
	for want := 2; want <= 3; want++ {
		r.f.Ask(0)
		r.until("0 has another set", func() bool { return sets[0] == want })
	}
	testkit.Await(t, "no request is under way", func() bool { return r.f.busyPollers() == 0 })
	before := observed.Hits()
	fake.Produce(numbered("orders", 0, 1000, 10)...)
	if len(r.f.Sets()) > 0 || sets[1] != 1 {
		t.Fatalf("sets that were not asked for: %v", sets)
	}
	if n := observed.Hits(); n != before || r.f.busyPollers() != 0 {
		t.Fatalf("%d requests without credit", n-before)
	}
	r.noAsk = false
	r.f.Ask(0)
	r.f.Ask(1)
	r.reads(map[int32]int64{0: 1010, 1: 1000})
	r.checkNumbered(0, 1010)
	r.checkNumbered(1, 1000)
}

// TestLateCreditDoesNotWaitForALongPoll has one partition in a request that the
// broker holds for very long, and others that get credit after it.
func TestLateCreditDoesNotWaitForALongPoll(t *testing.T) {
	const partitions = 4
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxWait: 10 * time.Minute})
	r.noAsk = true
	r.start(0, 0)
	r.until("the watermark of the idle partition", func() bool { return len(r.marks) == 1 })
	r.f.Ask(0)
	testkit.Await(t, "the long poll is under way", func() bool { return r.f.busyPollers() == 1 })
	started := time.Now()
	for p := int32(1); p < partitions; p++ {
		r.start(p, 0)
	}
	r.until("the watermarks of the others", func() bool { return len(r.marks) == partitions })
	// All are idle now, and those without credit get some at different times.
	for p := int32(1); p < partitions; p++ {
		r.f.Ask(p)
		fake.Produce(numbered("orders", p, 0, 5)...)
		r.until("the records of a late partition", func() bool { return r.next[p] == 5 })
	}
	if passed := time.Since(started); passed > testkit.Patience {
		t.Errorf("it took %v", passed)
	}
	fake.Produce(numbered("orders", 0, 0, 5)...)
	r.reads(map[int32]int64{0: 5})
}

// TestIdlePartitionsShareOneRequest sees to it that partitions which came late
// join the long poll, so that an idle topic costs one request at a time.
func TestIdlePartitionsShareOneRequest(t *testing.T) {
	const partitions, maxWait = 4, 300 * time.Millisecond
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxWait: maxWait})
	r.noAsk = true
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	r.until("the watermarks", func() bool { return len(r.marks) == partitions })
	var alone, together atomic.Int32
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		if len(req.(*kmsg.FetchRequest).Topics[0].Partitions) == partitions {
			together.Add(1)
		} else {
			alone.Add(1)
		}
		return nil, nil, false
	})
	r.f.Ask(0)
	testkit.Await(t, "the long poll is under way", func() bool { return r.f.busyPollers() == 1 })
	for p := int32(1); p < partitions; p++ {
		r.f.Ask(p)
	}
	testkit.Await(t, "the late ones are asked for", func() bool { return r.f.busyPollers() == 2 })
	testkit.Await(t, "a request for all", func() bool { return together.Load() > 0 })
	started, single := time.Now(), alone.Load()
	if limit := int32(2 + maxWait/joinWait); single > limit {
		t.Errorf("%d requests in one long poll, want at most %d", single, limit)
	}
	testkit.Await(t, "more requests for all", func() bool { return together.Load() > 3 })
	if n := alone.Load(); n != single {
		t.Errorf("%d requests for some of the partitions after all were in one", n-single)
	}
	if passed := time.Since(started); passed < 2*maxWait {
		t.Errorf("three long polls took %v only", passed)
	}
}

// TestPartitionsShareTheLimit bounds the memory of a leader with many partitions:
// all that one round may bring, twice (worked on, and asked for ahead).
func TestPartitionsShareTheLimit(t *testing.T) {
	const partitions, maxBytes = 12, 4 << 20
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", partitions, nil)
	var most atomic.Int32
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		asked := req.Topics[0].Partitions
		sum := int32(0)
		for _, p := range asked {
			sum += p.PartitionMaxBytes
		}
		if len(asked) == partitions {
			most.Store(max(most.Load(), sum, req.MaxBytes))
		}
		return nil, nil, false
	})
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxBytes: maxBytes, MaxWait: 50 * time.Millisecond})
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	r.until("the watermarks", func() bool { return len(r.marks) == partitions })
	testkit.Await(t, "a request for all", func() bool { return most.Load() > 0 })
	if n := most.Load(); n > maxBytes {
		t.Errorf("partitions are asked for %d bytes together, want at most %d", n, maxBytes)
	}
}

// TestFullAnswersAreFair has answers with room for one partition only. The two
// requests under way may favour one, but none is left out.
func TestFullAnswersAreFair(t *testing.T) {
	const partitions, count = 4, 60
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxBytes: 70_000})
	r.noAsk = true
	sets := map[int32]int{}
	r.onSet = func(s *batch.Set) {
		if s.Done() {
			return
		}
		sets[s.Partition]++
		for p := range int32(partitions) {
			if sets[p] < sets[s.Partition]/partitions-3 {
				t.Fatalf("partition %d had %d sets when another had its %d.", p, sets[p], sets[s.Partition])
			}
		}
	}
	ends := map[int32]int64{}
	for p := range int32(partitions) {
		recs := numbered("orders", p, 0, count)
		for i := range recs {
			recs[i].Key = make([]byte, 50_000)
		}
		fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(60_000)}, recs...)
		ends[p] = count
	}
	for p := range ends {
		r.start(p, 0)
		for range 2 * count {
			r.f.Ask(p)
		}
	}
	r.reads(ends)
}

// TestSetsOfAPartitionComeInOrder has much credit at once and a slow reader, so
// that sets wait during the next requests.
func TestSetsOfAPartitionComeInOrder(t *testing.T) {
	const partitions, count = 3, 10_000
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 1500})
	r.noAsk = true
	ends, sets := map[int32]int64{}, 0
	r.onSet = func(*batch.Set) {
		if sets++; sets < 60 {
			testkit.Await(t, "sets wait to be received, and keep their partitions from being asked for", func() bool {
				return len(r.f.Sets()) == cap(r.f.Sets()) && r.f.busyPollers() == 0 && r.f.busyCursors() > 0
			})
		}
	}
	for p := range int32(partitions) {
		fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(600)}, numbered("orders", p, 0, count)...)
		r.start(p, 0)
		for range count {
			r.f.Ask(p)
		}
		ends[p] = count
	}
	r.reads(ends)
}

func TestTransientErrorsAreRetriedAndLoggedOnce(t *testing.T) {
	cases := []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.UnknownTopicOrPartition,
		kerr.ReplicaNotAvailable, kerr.KafkaStorageError, kerr.OffsetNotAvailable, kerr.UnknownServerError, kerr.CorruptMessage,
	}
	for _, fault := range cases {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("orders", 2, nil)
			for p := range int32(2) {
				fake.Produce(numbered("orders", p, 0, 10)...)
			}
			faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Partitions: []int32{0, 1}, Topic: "orders", Err: fault, Count: 4})
			r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
			r.start(0, 0)
			r.start(1, 0)
			r.reads(map[int32]int64{0: 10, 1: 10})
			if faults.Hits() < 4 {
				t.Errorf("only %d requests met the fault", faults.Hits())
			}
			if n := r.log.Count("can't be fetched"); n < 1 || n > 2 {
				t.Errorf("%d lines about it, want one for both partitions, or one for each: %q", n, r.log.Lines())
			}
			if len(r.errs) > 0 {
				t.Errorf("errors reached the reader: %v", r.errs)
			}
		})
	}
}

func TestTopLevelErrorsAndLostConnectionsAreRetried(t *testing.T) {
	answers := map[string]func(req *kmsg.FetchRequest) (kmsg.Response, error){
		"top-level error": func(req *kmsg.FetchRequest) (kmsg.Response, error) {
			res := req.ResponseKind().(*kmsg.FetchResponse)
			res.ErrorCode = kerr.UnknownServerError.Code
			return res, nil
		},
		"connection closed": func(*kmsg.FetchRequest) (kmsg.Response, error) { return nil, errors.New("closed by the test") },
		"no partition":      func(req *kmsg.FetchRequest) (kmsg.Response, error) { return req.ResponseKind(), nil },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("orders", 1, nil)
			fake.Produce(numbered("orders", 0, 0, 10)...)
			var hits atomic.Int32
			fake.Faults.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
				if hits.Add(1) > 3 {
					return nil, nil, false
				}
				fake.Faults.KeepControl()
				res, err := answer(req.(*kmsg.FetchRequest))
				return res, err, true
			})
			r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
			r.start(0, 0)
			r.reads(map[int32]int64{0: 10})
			r.checkNumbered(0, 10)
			if n := r.log.Count("will be retried"); name != "no partition" && n != 1 {
				t.Errorf("%d lines about it: %q", n, r.log.Lines())
			}
		})
	}
}

func TestOffsetOutOfRangeReachesTheReader(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 2, nil)
	for p := range int32(2) {
		fake.Produce(numbered("orders", p, 0, 10)...)
	}
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 500)
	r.start(1, 0)
	r.until("the error", func() bool { return r.errs[0] != nil })
	r.reads(map[int32]int64{1: 10})
	err, ok := errors.AsType[*OffsetOutOfRangeError](r.errs[0])
	if !ok || err.Topic != "orders" || err.Partition != 0 || err.Offset != 500 {
		t.Fatalf("got %v", r.errs[0])
	}
	// The Fetcher does not ask for it before it is started again.
	var asked atomic.Int32
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		if partitions := req.(*kmsg.FetchRequest).Topics[0].Partitions; len(partitions) > 1 || partitions[0].Partition == 0 {
			asked.Add(1)
		}
		return nil, nil, false
	})
	r.f.Ask(0)
	for i := range 5 {
		fake.Produce(numbered("orders", 1, 10+i, 1)...)
		r.reads(map[int32]int64{1: int64(11 + i)})
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("it was asked for %d times more", n)
	}
	r.start(0, 0)
	r.reads(map[int32]int64{0: 10})
}

func TestFatalErrorsReachTheReader(t *testing.T) {
	cases := map[*kerr.Error]error{
		kerr.TopicAuthorizationFailed:   kafka.ErrNotAuthorized,
		kerr.UnsupportedCompressionType: nil,
	}
	for fault, want := range cases {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("orders", 1, nil)
			fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Err: fault, Count: -1})
			r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
			r.start(0, 0)
			r.until("the error", func() bool { return r.errs[0] != nil })
			if want != nil && !errors.Is(r.errs[0], want) {
				t.Errorf("got %v, want %v", r.errs[0], want)
			}
		})
	}
}

func TestTopicThatIsDeletedAndCreatedAgain(t *testing.T) {
	fake := kafkatest.Fake(t)
	// A fetch that finds the new topic without records is out of range, and rightly so.
	var filling atomic.Bool
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		if filling.Load() {
			return nil, errors.New("closed by the test"), true
		}
		return nil, nil, false
	})
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 10)...)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxWait: 50 * time.Millisecond})
	r.start(0, 0)
	r.reads(map[int32]int64{0: 10})
	fake.DeleteTopic("orders")
	testkit.Await(t, "it is noticed", func() bool { return r.log.Count("can't be fetched") > 0 })
	filling.Store(true)
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 20)...)
	filling.Store(false)
	r.reads(map[int32]int64{0: 20})
	if len(r.errs) > 0 {
		t.Errorf("errors reached the reader: %v", r.errs)
	}
}

func TestLeadersMoveWhileReading(t *testing.T) {
	const partitions, rounds, perRound = 4, 6, 50
	fake := kafkatest.Fake(t, kfake.NumBrokers(3))
	fake.CreateTopic("orders", partitions, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 500})
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	ends := map[int32]int64{}
	for round := range rounds {
		for p := range int32(partitions) {
			fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(600)}, numbered("orders", p, round*perRound, perRound)...)
			ends[p] = int64((round + 1) * perRound)
			if err := fake.Faults.MoveTopicPartition("orders", p, int32(round+int(p))%3); err != nil {
				t.Fatal(err)
			}
		}
		r.reads(ends)
	}
	for p := range int32(partitions) {
		r.checkNumbered(p, rounds*perRound)
	}
	if len(r.errs) > 0 {
		t.Errorf("errors reached the reader: %v", r.errs)
	}
}

func TestBrokerThatIsAwayForAWhile(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("orders", 2, nil)
	for p := range int32(2) {
		if err := fake.Faults.MoveTopicPartition("orders", p, p); err != nil {
			t.Fatal(err)
		}
		fake.Produce(numbered("orders", p, 0, 10)...)
	}
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxWait: 50 * time.Millisecond})
	r.start(0, 0)
	r.start(1, 0)
	r.reads(map[int32]int64{0: 10, 1: 10})
	if err := fake.Faults.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	// The Fetcher goes on with the partitions of the other broker.
	fake.Produce(numbered("orders", 0, 10, 10)...)
	r.reads(map[int32]int64{0: 20})
	if err := fake.Faults.MoveTopicPartition("orders", 1, 0); err != nil {
		t.Fatal(err)
	}
	fake.Produce(numbered("orders", 1, 10, 10)...)
	r.reads(map[int32]int64{1: 20})
	r.checkNumbered(0, 20)
	r.checkNumbered(1, 20)
}

func TestReadCommittedWaitsForTheEndOfATransaction(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	fake.ProduceTxn("gone", false, numbered("orders", 0, 0, 3)...)
	fake.ProduceTxn("kept", true, numbered("orders", 0, 3, 3)...)
	open := fake.Begin("open")
	open.Produce(numbered("orders", 0, 6, 3)...)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", Isolation: config.ReadCommitted, MaxWait: 50 * time.Millisecond})
	r.start(0, 0)
	r.reads(map[int32]int64{0: 8})
	if got := batchtest.Offsets(r.got[0]); !slices.Equal(got, []int64{4, 5, 6}) {
		t.Fatalf("read %v", got)
	}
	open.Commit()
	r.reads(map[int32]int64{0: 12})
	if got := batchtest.Offsets(r.got[0]); !slices.Equal(got, []int64{4, 5, 6, 8, 9, 10}) {
		t.Fatalf("read %v", got)
	}
}

func TestCloseAndStopLeaveNothingBehind(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("orders", 4, nil)
	for p := range int32(4) {
		if err := fake.Faults.MoveTopicPartition("orders", p, p%2); err != nil {
			t.Fatal(err)
		}
		fake.Produce(numbered("orders", p, 0, 100)...)
	}
	for name, end := range map[string]func(r *reader){
		"close": func(r *reader) { r.f.Close() },
		"stop": func(r *reader) {
			for p := range int32(4) {
				r.f.Stop(p)
			}
			testkit.Await(t, "no request is under way", func() bool { return r.f.busyPollers() == 0 })
			testkit.Await(t, "only the router is left", func() bool { return len(fetchGoroutines()) == 1 })
			r.f.Close()
		},
		"close with undelivered sets": func(r *reader) {
			testkit.Await(t, "sets wait", func() bool { return len(r.f.Sets()) > 0 })
			r.f.Close()
			if n := len(r.f.Sets()); n > 0 {
				t.Errorf("%d sets are left", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxWait: time.Hour})
			for p := range int32(4) {
				r.start(p, 0)
			}
			if name != "close with undelivered sets" {
				r.reads(map[int32]int64{0: 100, 1: 100, 2: 100, 3: 100})
				testkit.Await(t, "long polls are under way", func() bool { return r.f.busyPollers() >= 2 })
			}
			end(r)
			testkit.Await(t, "no goroutine is left", func() bool {
				stacks := fetchGoroutines()
				return len(stacks) == 0
			})
			if epoch := r.f.Start(0, 0); epoch == 0 {
				t.Error("epoch 0")
			}
			r.f.Ask(0)
			r.f.Close()
		})
	}
}

func TestFetchedMemoryComesBack(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 3, nil)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxBytes: 1 << 20, MaxPartitionBytes: 64 << 10})
	ends := map[int32]int64{}
	for p := range int32(3) {
		r.start(p, 0)
		recs := numbered("orders", p, 0, 2000)
		for i := range recs {
			recs[i].Key = make([]byte, 200)
		}
		fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(20_000)}, recs...)
		ends[p] = 2000
	}
	r.reads(ends)
	if held := r.f.memory.pool.Unused(); held == 0 || held > 1<<20 {
		t.Errorf("%d bytes of unused buffers are kept", held)
	}
}
