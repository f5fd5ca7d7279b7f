package podwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

var key = types.NamespacedName{Namespace: "shop", Name: "enrich"}

// worker is a pod with a settable answer.
type worker struct {
	Pod
	mu   sync.Mutex
	says string // guarded by mu
}

func start(t *testing.T, name, says string) *worker {
	t.Helper()
	w := &worker{says: says}
	server := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/status" {
			http.NotFound(res, req)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		_, _ = fmt.Fprint(res, w.says)
	}))
	t.Cleanup(server.Close)
	w.Pod = Pod{Name: name, Address: strings.TrimPrefix(server.URL, "http://")}
	return w
}

func (w *worker) say(says string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.says = says
}

// idle is the answer of a member with nothing in flight.
func idle(generation int, saturation float64) string {
	return fmt.Sprintf(`{"members":[{"generation":%d,"state":"running","saturation":%v,"partitions":[{"partition":0}]}]}`, generation, saturation)
}

// holding is the answer of a member with a record that holds up a watermark.
func holding(partition int, offset int64, age float64) string {
	return fmt.Sprintf(`{"members":[{"generation":1,"state":"running","saturation":0.5,"partitions":[{"partition":%d,"oldestUnsettled":
		{"offset":%d,"ageSeconds":%v,"since":"2026-01-02T03:04:05Z","attempts":3,"keyHash":"abcd","lastError":"boom"}}]}]}`, partition, offset, age)
}

// halted is the answer of a member with a halted partition.
func halted(why string) string {
	return fmt.Sprintf(`{"members":[{"generation":1,"state":"running","partitions":[{"partition":0,"state":"halted","position":9,
		"error":%q,"haltedSince":"2026-01-02T03:04:05Z"}]}]}`, why)
}

// evaluates is the answer of a worker that runs expressions.
func evaluates(version, refused, failure string) string {
	return fmt.Sprintf(`{"expressions":{"version":%q,"refused":%q,"error":%q},"members":[{"generation":1,"state":"running"}]}`, version, refused, failure)
}

// fails is the answer of a worker whose processes have failed recently.
func fails(times int, last string) string {
	return fmt.Sprintf(`{"processes":{"connected":2,"failed":9,"failedRecently":%d,"lastError":%q},"members":[{"generation":1,"state":"running"}]}`, times, last)
}

// lost is the answer of a member that noticed a loss.
func lost(to int) string {
	return fmt.Sprintf(`{"members":[{"generation":1,"state":"running","partitions":[{"partition":0,"loss":
		{"offsets":3,"from":1,"to":%d,"reason":"Retention","at":"2026-01-02T03:04:05Z"}}]}]}`, to)
}

// watch returns a Watcher that is not started, and a channel of its wakes.
func watch(t *testing.T) (*Watcher, chan types.NamespacedName) {
	woken := make(chan types.NamespacedName, 100)
	return New(Options{Interval: time.Millisecond, Wake: func(k types.NamespacedName) { woken <- k }, Logger: testr.New(t)}), woken
}

// ask asks the pods once.
func ask(t *testing.T, w *Watcher) { w.round(t.Context(), key, w.watched[key]) }

func TestFactsOfSeveralPods(t *testing.T) {
	w, woken := watch(t)
	a, b := start(t, "a", idle(1, 1)), start(t, "b", holding(7, 41, 90))
	silent := Pod{Name: "c", Address: "127.0.0.1:1"}
	w.Set(key, []Pod{a.Pod, b.Pod, silent})
	var took []time.Duration
	w.opts.Observe = func(d time.Duration) { took = append(took, d) }
	ask(t, w)
	if len(took) != 1 || took[0] <= 0 {
		t.Errorf("the rounds took %v", took)
	}
	f := w.Facts(key)
	if f.Asked != 3 || f.Answered != 2 || f.Complete() || f.At.IsZero() || f.Saturation != 0.75 || f.Rebalancing || len(f.Stuck) != 1 {
		t.Fatalf("%+v", f)
	}
	s := f.Stuck[0]
	if s.Pod != "b" || s.Partition != 7 || s.Offset != 41 || s.KeyHash != "abcd" || s.Attempts != 3 || s.LastError != "boom" || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	if len(woken) != 1 {
		t.Errorf("woken %d times; want once", len(woken))
	}
}

// TestWaitingPods checks that the facts say why a pod waits to join the group, and that the
// beginning and the end of the wait call Wake.
func TestWaitingPods(t *testing.T) {
	w, woken := watch(t)
	a := start(t, "a", `{"waiting":"the output's cluster is away","members":[{"state":"joining","generation":-1}]}`)
	w.Set(key, []Pod{a.Pod})
	ask(t, w)
	if f := w.Facts(key); f.Waiting != "pod a waits for Kafka: the output's cluster is away" {
		t.Errorf("waiting %q", f.Waiting)
	}
	a.say(`{"members":[{"state":"joining","generation":-1}]}`)
	ask(t, w)
	if f := w.Facts(key); f.Waiting != "" || len(woken) != 2 {
		t.Errorf("waiting %q, woken %d times, want 2", f.Waiting, len(woken))
	}
}

// TestOnlyRelevantChangesWake checks which answers call Wake. In the steady state none does.
func TestOnlyRelevantChangesWake(t *testing.T) {
	w, woken := watch(t)
	a := start(t, "a", idle(1, 0))
	w.Set(key, []Pod{a.Pod})
	expect := func(says string, wakes int) {
		t.Helper()
		a.say(says)
		ask(t, w)
		if n := len(woken); n != wakes {
			t.Errorf("woken %d times by %s; want %d", n, says, wakes)
		}
		for len(woken) > 0 {
			<-woken
		}
	}
	expect(idle(1, 0), 0)
	expect(idle(1, 0.9), 0)
	expect(holding(0, 5, 10), 0)
	expect(holding(0, 5, 61), 1)
	expect(holding(0, 5, 71), 0)
	expect(holding(0, 6, 61), 1)
	expect(idle(1, 0), 1)
	expect(halted("corrupt"), 1)
	expect(halted("corrupt"), 0)
	expect(evaluates("v1", "", ""), 1)
	expect(evaluates("v1", "", ""), 0)
	expect(evaluates("v1", "v2", "boom"), 1)
	if want := (Expressions{Pod: "a", Version: "v1", Refused: "v2", Error: "boom"}); len(w.Facts(key).Expressions) != 1 || w.Facts(key).Expressions[0] != want {
		t.Errorf("the facts have %+v, want %+v", w.Facts(key).Expressions, want)
	}
	expect(evaluates("v2", "", ""), 1)
	expect(fails(0, ""), 1) // without expressions
	expect(fails(3, "gone"), 1)
	expect(fails(3, "gone"), 0)
	expect(fails(1_000_000_000, strings.Repeat("x", 10_000)), 1)
	if f := w.Facts(key).Failures; len(f) != 1 || f[0].Pod != "a" || f[0].Times != maxFailures || len(f[0].LastError) > maxText+3 {
		t.Errorf("the failures are %+v", f)
	}
	expect(fails(0, "gone"), 1)
	expect(fails(-1, "gone"), 0)
	expect(halted("corrupt"), 1)
	expect(halted("too large"), 1)
	expect(lost(10), 1)
	expect(lost(10), 0)
	expect(lost(20), 1)
	expect(idle(1, 0), 1)
	expect(`{"members":[{"state":"joining","generation":-1}]}`, 1)
	expect(idle(2, 0), 1)
}

func TestMembersOfTwoGenerations(t *testing.T) {
	w, _ := watch(t)
	a, b := start(t, "a", idle(1, 0)), start(t, "b", idle(2, 0))
	w.Set(key, []Pod{a.Pod, b.Pod})
	ask(t, w)
	if !w.Facts(key).Rebalancing {
		t.Error("members of two generations do not count as a rebalance")
	}
}

// TestNonsense checks that an unreadable answer counts as none.
func TestNonsense(t *testing.T) {
	w, _ := watch(t)
	a := start(t, "a", "<html>")
	w.Set(key, []Pod{a.Pod})
	ask(t, w)
	if f := w.Facts(key); f.Answered != 0 || f.Saturation != -1 {
		t.Errorf("%+v", f)
	}
}

// TestForget checks that a forgotten StreamProcessor has no facts, even if a round ends
// later.
func TestForget(t *testing.T) {
	w, woken := watch(t)
	a := start(t, "a", holding(0, 1, 100))
	w.Set(key, []Pod{a.Pod})
	s := w.watched[key]
	w.Forget(key)
	w.round(t.Context(), key, s)
	if f := w.Facts(key); f.Answered != 0 || len(woken) != 0 {
		t.Errorf("%+v, %d wakes", f, len(woken))
	}
}

// TestStart checks that the Watcher polls until its context ends, during other calls.
func TestStart(t *testing.T) {
	w, woken := watch(t)
	a := start(t, "a", holding(0, 1, 100))
	stop := run(t, w)
	w.Set(key, []Pod{a.Pod})
	if got := <-woken; got != key {
		t.Errorf("woken: %v", got)
	}
	a.say(idle(1, 0))
	<-woken
	stop()
}

// run starts a Watcher and returns a function that stops it, as the end of the test does.
func run(t *testing.T, w *Watcher) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// TestAnswerIsOfTheWorkersStatus checks that the Watcher understands the type with which
// workers write /status.
func TestAnswerIsOfTheWorkersStatus(t *testing.T) {
	since := time.Unix(1_700_000_000, 0).UTC()
	expressions := &workerstatus.Expressions{Version: "v1", Since: since, Refused: "v2", Error: "boom"}
	content, err := json.Marshal(workerstatus.Status{Topic: "orders", Partitions: 12, Expressions: expressions, Members: []workerstatus.Member{{
		Generation: 4, State: "joining", Saturation: 0.25,
		Partitions: []workerstatus.Partition{{Partition: 7, OldestUnsettled: &workerstatus.Unsettled{
			Offset: 41, AgeSeconds: 90, Since: since, Attempts: 3, KeyHash: "abcd", LastError: "boom",
		}}, {
			Partition: 8, State: "halted", Position: 12, Error: "corrupt", HaltedSince: &since,
			Loss: &workerstatus.Loss{Offsets: 9, From: 3, To: 5, Reason: workerstatus.LossRetention, At: since},
		}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(content, &a); err != nil {
		t.Fatal(err)
	}
	pod := Pod{Name: "a"}
	got := join([]Pod{pod}, map[Pod]*report{pod: a.report("a", since)}, since)
	want := Facts{
		Asked: 1, Answered: 1, At: since, Saturation: 0.25, Rebalancing: true, Partitions: map[string]int32{"orders": 12}, Stuck: []Stuck{{
			Pod: "a", Partition: 7, Offset: 41, KeyHash: "abcd", Since: since, Attempts: 3, LastError: "boom",
		}, {
			Pod: "a", Partition: 8, Offset: 12, Halted: true, Since: since, LastError: "corrupt",
		}}, Losses: []Loss{{Partition: 8, From: 3, To: 5, Reason: "Retention", At: since}},
		Expressions: []Expressions{{Pod: "a", Version: "v1", Refused: "v2", Error: "boom"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

// TestPartitionsOfTheTopic checks that the highest number that a pod reports counts, for
// each topic on its own, and that impossible numbers are bounded.
func TestPartitionsOfTheTopic(t *testing.T) {
	now := time.Unix(1, 0)
	said := map[string]answer{"a": {Topic: "orders", Partitions: 6}, "b": {Topic: "orders", Partitions: 8}, "c": {Topic: "former", Partitions: 1 << 30}}
	var pods []Pod
	reports := map[Pod]*report{}
	for name, a := range said {
		pods = append(pods, Pod{Name: name})
		reports[Pod{Name: name}] = a.report(name, now)
	}
	f := join(pods, reports, now)
	if f.Partitions["orders"] != 8 || f.Partitions["former"] != maxPartitions {
		t.Errorf("%v", f.Partitions)
	}
	if old := join(pods, nil, now); !f.differs(&old) {
		t.Error("a new number of partitions does not call Wake")
	}
}
