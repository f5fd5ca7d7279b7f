package produce

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// expectDoom waits for the doom of the present transaction, and then expects that nothing
// revives the Producer but Reset together with Resume.
func (w *transacting) expectDoom(reason string) {
	w.t.Helper()
	select {
	case got := <-w.dooms:
		if got != reason {
			w.t.Errorf("doomed for the reason %q, want %q", got, reason)
		}
	case <-time.After(testkit.Patience):
		w.t.Fatal("the transaction is not doomed")
	}
	w.p.Cut()
	if err := w.p.FlushCut(writeContext(w.t)); err == nil {
		w.t.Error("a doomed transaction is flushed")
	}
	w.p.Resume(w.session)
	w.write(0, 10)
	if err := w.p.FlushCut(writeContext(w.t)); err == nil || len(w.dooms) > 0 {
		w.t.Errorf("a doomed transaction is resumed (%d more dooms)", len(w.dooms))
	}
	w.p.Reset()
	if err := w.p.FlushCut(writeContext(w.t)); err == nil {
		w.t.Error("nothing is flushed before a transaction is open")
	}
	w.begin()
	last := w.write(0, 10)
	w.commit()
	w.expectCommitted(0, last)
	if len(w.dooms) > 0 {
		w.t.Errorf("the transaction after a reset is doomed (%s)", <-w.dooms)
	}
}

func TestAnswersThatDoomATransaction(t *testing.T) {
	for fault, reason := range map[*kerr.Error]string{
		kerr.InvalidProducerEpoch: doomedFenced, kerr.ProducerFenced: doomedFenced,
		kerr.OutOfOrderSequenceNumber: doomedSequence, kerr.UnknownProducerID: doomedSequence,
		kerr.InvalidProducerIDMapping: doomedAborted, kerr.InvalidTxnState: doomedAborted, kerr.TransactionAbortable: doomedAborted,
		kerr.TransactionalIDAuthorizationFailed: doomedForbidden,
	} {
		t.Run(fault.Message, func(t *testing.T) {
			w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
			w.begin()
			faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: fault})
			for range 10 {
				w.write(0, 300)
			}
			w.expectDoom(reason)
			if faults.Hits() != 1 || w.settled() != 1 {
				t.Errorf("%d hits, %d records are settled", faults.Hits(), w.settled())
			}
			if reason == doomedForbidden {
				testkit.ExpectError(t, w.fatalErrors()[0], kafka.ErrNotAuthorized, w.id, "Write and Describe")
			} else {
				w.expectClean()
			}
		})
	}
}

func TestAddingPartitionsMayDoomATransaction(t *testing.T) {
	for fault, reason := range map[*kerr.Error]string{
		kerr.InvalidProducerEpoch: doomedFenced, kerr.ProducerFenced: doomedFenced,
		kerr.InvalidTxnState: doomedAborted, kerr.TransactionalIDAuthorizationFailed: doomedForbidden,
	} {
		t.Run(fault.Message, func(t *testing.T) {
			w, fake := newTroubled(t, Config{}, versionOne)
			w.begin()
			fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Err: fault})
			w.write(0, 10)
			w.expectDoom(reason)
		})
	}
}

// A partition that can't be made part of the transaction holds up no others.
func TestAPartitionThatIsNotAddedIsPostponed(t *testing.T) {
	w, fake := newTroubled(t, Config{}, versionOne)
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Topic: "out", Partitions: []int32{1}, Err: kerr.UnknownTopicOrPartition, Count: -1,
	})
	late, good := w.write(1, 10), w.write(0, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	w.commit()
	w.expectCommitted(0, good)
	w.expectCommitted(1)
	faults.Remove()
	testkit.Await(t, "it is written", func() bool { return w.settled() == 2 })
	w.commit()
	w.expectCommitted(1, late)
	w.expectClean()
}

// The topic of dead letters, or one that a record names, may be forbidden: that concerns
// its records alone.
func TestAnIsolatedTopicThatIsNotAllowedFailsItsRecords(t *testing.T) {
	w, fake := newTroubled(t, Config{}, versionOne)
	w.cluster.CreateTopic("letters", 1, nil)
	letters, err := w.p.Topic(t.Context(), "letters", TopicOptions{Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	w.begin()
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Topic: "letters", Err: kerr.TopicAuthorizationFailed, Count: -1})
	good, out := w.write(0, 10), w.w
	// In a request with the other topic, kfake would answer for this one and not add it.
	testkit.Await(t, "the good record is written", func() bool { return w.settled() == 1 })
	w.w = letters
	bad := w.write(0, 10)
	w.w = out
	w.commit()
	w.expectCommitted(0, good)
	testkit.ExpectError(t, w.errs[bad], kafka.ErrNotAuthorized)
	if len(w.dooms) > 0 || len(w.fatalErrors()) > 0 {
		t.Errorf("%d dooms, fatal: %v", len(w.dooms), w.fatalErrors())
	}
}

// A record that is given up may be part of the transaction.
func TestGivingUpDooms(t *testing.T) {
	w, fake := newTroubled(t, Config{DeliveryTimeout: 100 * time.Millisecond})
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.UnknownServerError, Count: -1})
	n := w.write(0, 10)
	testkit.Await(t, "it is given up", func() bool { return w.settled() == 1 })
	faults.Remove()
	testkit.ExpectError(t, w.errs[n], ErrNotDelivered)
	w.expectDoom(doomedUnknown)
}

// A batch that may be part of the transaction must not be written elsewhere too.
func TestMovingABatchThatMayBeStoredDooms(t *testing.T) {
	w, fake := newTroubled(t, Config{DeliveryTimeout: 100 * time.Millisecond})
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{0}, Err: kerr.RequestTimedOut, Count: -1,
	})
	w.append(Anywhere(0), w.number())
	testkit.Await(t, "it is overdue", func() bool { return len(w.dooms) > 0 })
	faults.Remove()
	w.expectDoom(doomedUnknown)
}

func TestABatchOfAPartitionThatIsGoneDooms(t *testing.T) {
	w, fake := newTroubled(t, Config{})
	w.begin()
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition, Count: -1,
	})
	w.write(1, 10)
	testkit.Await(t, "it may be stored", func() bool { return faults.Hits() > 0 })
	fake.DeleteTopic("out")
	fake.CreateTopic("out", 1, nil)
	testkit.Await(t, "the topic has one partition", func() bool { return len(w.dooms) > 0 })
	w.expectDoom(doomedUnknown)
	testkit.Await(t, "the topic's writer knows it", func() bool { return w.w.Partitions() == 1 })
}

// Under the identity from before a reset, a broker could take batches for others.
func TestASpentIdentityDooms(t *testing.T) {
	w, _ := newTroubled(t, Config{})
	w.begin()
	w.p.Reset()
	w.p.Resume(w.session)
	w.expectDoom(doomedUnknown)
}
