package produce

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestNamedTopicThatCantBeLookedUpIsPending(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.LeaderNotAvailable, kerr.UnknownServerError, kerr.NetworkException} {
		fake := kafkatest.Fake(t)
		fake.CreateTopic("out", 1, nil)
		fake.CreateTopic("other", 3, nil)
		w := newWriting(t, fake.Addrs(), Config{})
		faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "other", Err: fault, Count: -1})
		for range 3 {
			if _, err := w.p.Named("other"); !errors.Is(err, ErrTopicPending) {
				t.Fatalf("%s: got %v", fault.Message, err)
			}
		}
		faults.Remove()
		testkit.Await(t, "it is found", func() bool {
			topic, err := w.p.Named("other")
			return err == nil && topic.Partitions() == 3
		})
		if n := w.log.Count("records wait for the look-up"); n != 1 {
			t.Errorf("%s: %d lines about it", fault.Message, n)
		}
	}
}

func TestNamedTopicThatIsRefusedIsNotAskedForAgainAndAgain(t *testing.T) {
	for _, c := range []struct {
		fault *kerr.Error
		what  error
	}{
		{kerr.UnknownTopicOrPartition, kafka.ErrTopicNotFound},
		{kerr.TopicAuthorizationFailed, kafka.ErrNotAuthorized},
		{kerr.InvalidTopicException, nil},
	} {
		fake := kafkatest.Fake(t)
		fake.CreateTopic("out", 1, nil)
		w := newWriting(t, fake.Addrs(), Config{})
		faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "other", Err: c.fault, Count: -1})
		var err error
		testkit.Await(t, "it is refused", func() bool {
			_, err = w.p.Named("other")
			return !errors.Is(err, ErrTopicPending)
		})
		testkit.ExpectError(t, err, c.what, `"other"`)
		asked := faults.Hits()
		var records sync.WaitGroup
		begin := time.Now()
		for range 4 {
			records.Go(func() {
				for range 2500 {
					if _, err := w.p.Named("other"); !errors.Is(err, c.what) && c.what != nil {
						t.Errorf("got %v", err)
					}
				}
			})
		}
		records.Wait()
		if n := faults.Hits() - asked; n > 3 && time.Since(begin) < refusalMaxAge {
			t.Errorf("%s: asked %d times for 10,000 records", c.fault.Message, n)
		}
		if len(w.fatalErrors()) > 0 {
			t.Errorf("fatal: %v", w.fatal)
		}
	}
}

// Whether this user may write shows only when it does.
func TestIsolatedTopicFailsItsRecordsWhenItMayNotBeWrittenTo(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	fake.CreateTopic("other", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "other", Err: kerr.TopicAuthorizationFailed, Count: -1})
	testkit.Await(t, "it is found", func() (ok bool) {
		var err error
		w.w, err = w.p.Named("other")
		return err == nil
	})
	w.write(0, 10)
	w.flush()
	testkit.ExpectError(t, w.errs[0], kafka.ErrNotAuthorized, `"other"`, "operation Write")
	if len(w.fatalErrors()) > 0 {
		t.Errorf("fatal: %v", w.fatal)
	}
}

// A topic that was deleted may come back; one that does not is given up.
func TestNamedTopicThatIsDeleted(t *testing.T) {
	onFakeAndApache(t, func(t *testing.T, c *kafkatest.Cluster) {
		w := keyedTopic(t, c, "produce-kept", 1)
		c.CreateTopic("produce-deleted", 1, nil)
		w.p.deliveryTimeout = 2 * time.Second
		testkit.Await(t, "it is found", func() (ok bool) {
			var err error
			w.w, err = w.p.Named("produce-deleted")
			return err == nil
		})
		w.write(0, 10)
		w.flush()
		c.DeleteTopic("produce-deleted")
		testkit.Await(t, "its records fail", func() bool {
			w.write(0, 10)
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.errs) > 0
		})
		w.flush()
		for _, err := range w.errs {
			testkit.ExpectError(t, err, ErrNotDelivered, `"produce-deleted"`)
			break
		}
	})
}
