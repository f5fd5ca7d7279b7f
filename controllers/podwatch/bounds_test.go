package podwatch

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
)

// silence returns the address of a server that accepts connections and never answers.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}

// TestLargeAnswersTakeLittleMemory checks that a large answer is refused before it takes
// much memory.
func TestLargeAnswersTakeLittleMemory(t *testing.T) {
	w, _ := watch(t)
	w.opts.Logger = logr.Discard()
	a := start(t, "a", `{"members":[{}`+strings.Repeat(",{}", 4<<20/3)+`]}`)
	var pods []Pod
	for i := range 8 {
		pods = append(pods, Pod{Name: fmt.Sprint(i), Address: a.Address})
	}
	w.Set(key, pods)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask(t, w)
	runtime.ReadMemStats(&after)
	// The limit includes the memory of the server, which runs in this process.
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 48 {
		t.Errorf("8 answers of 4 MiB took %d MiB", took)
	}
	if f := w.Facts(key); f.Answered != 0 {
		t.Errorf("%+v", f)
	}
}

// TestListsAndTextsAreBounded checks the bounds on lists and texts within an answer of
// acceptable size.
func TestListsAndTextsAreBounded(t *testing.T) {
	w, _ := watch(t)
	text := strings.Repeat("é", 600)
	one := fmt.Sprintf(`{"partition":1,"state":"halted","error":%q,"haltedSince":"2026-01-02T03:04:05Z",
		"loss":{"reason":%q,"at":"2026-01-02T03:04:05Z"}}`, text, text)
	a := start(t, "a", `{"members":[{"generation":1,"partitions":[`+one+strings.Repeat(","+one, 20)+`]}`+strings.Repeat(`,{}`, 1000)+`]}`)
	b := start(t, "b", `{"members":[{"generation":1,"partitions":[`+one+strings.Repeat(`,{"partition":2,"state":"halted","haltedSince":"2026-01-02T03:04:05Z"}`, 500)+`]}]}`)
	w.Set(key, []Pod{a.Pod, b.Pod})
	ask(t, w)
	f := w.Facts(key)
	if f.Answered != 2 || len(f.Stuck) != 21+maxKept || len(f.Losses) != 22 {
		t.Errorf("%d answered, %d stuck, %d losses", f.Answered, len(f.Stuck), len(f.Losses))
	}
	for _, s := range f.Stuck {
		if len(s.LastError) > maxText+3 || strings.ContainsRune(s.LastError, '\uFFFD') {
			t.Fatalf("kept %d bytes: %q", len(s.LastError), s.LastError)
		}
	}
	if n := w.watched[key].reports[a.Pod].members; n != maxListed {
		t.Errorf("got %d members, want maxListed", n)
	}
}

// TestImpossibleTroublesAreLeftOut checks that impossible partitions and times are ignored.
// The API server would refuse them in the status, or the status would keep them for ever.
func TestImpossibleTroublesAreLeftOut(t *testing.T) {
	w, _ := watch(t)
	partitions := `{"partition":7,"oldestUnsettled":{"offset":1,"ageSeconds":100,"since":"2026-01-02T03:04:05Z","attempts":9999999999}}`
	for _, id := range []string{"-1", "2147483647"} {
		partitions += `,{"partition":` + id + `,"state":"halted","haltedSince":"2026-01-02T03:04:05Z","loss":{"reason":"Retention","at":"2026-01-02T03:04:05Z"}}`
	}
	for _, at := range []string{"0001-01-01T00:00:00Z", "0000-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"} {
		partitions += `,{"partition":1,"state":"halted","haltedSince":"` + at + `","loss":{"reason":"Retention","at":"` + at + `"},
			"oldestUnsettled":{"offset":1,"ageSeconds":100,"since":"` + at + `"}}`
	}
	a := start(t, "a", `{"members":[{"generation":1,"partitions":[`+partitions+`,{"partition":1,"oldestUnsettled":{"ageSeconds":100}}]}]}`)
	w.Set(key, []Pod{a.Pod})
	ask(t, w)
	f := w.Facts(key)
	if f.Answered != 1 || len(f.Losses) != 0 || len(f.Stuck) != 1 || f.Stuck[0].Partition != 7 || f.Stuck[0].Attempts != math.MaxInt32 {
		t.Errorf("%+v", f)
	}
}

// TestSilentPodsDelayNobodyElse checks that pods that don't answer do not delay the rounds
// of another StreamProcessor.
func TestSilentPodsDelayNobodyElse(t *testing.T) {
	address := silence(t)
	w, _ := watch(t)
	w.opts.Interval, w.opts.Logger = 10*time.Millisecond, logr.Discard()
	var silent []Pod
	for i := range 64 {
		silent = append(silent, Pod{Name: fmt.Sprint(i), Address: address})
	}
	for i := range 20 {
		w.Set(types.NamespacedName{Namespace: "hostile", Name: fmt.Sprint(i)}, silent)
	}
	var asked atomic.Int64
	enough := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 20 {
			close(enough)
		}
		_, _ = fmt.Fprint(res, idle(1, 1))
	}))
	t.Cleanup(server.Close)
	run(t, w)
	w.Set(key, []Pod{{Name: "a", Address: strings.TrimPrefix(server.URL, "http://")}})
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Errorf("asked %d times in a minute, want 20", asked.Load())
	}
}

// TestSilentPodsDelayTheirOwnLittle checks that a round has a deadline, and that the next
// one begins with the pods that answer.
func TestSilentPodsDelayTheirOwnLittle(t *testing.T) {
	w, _ := watch(t)
	w.opts.Logger, w.fresh = logr.Discard(), time.Minute
	address := silence(t)
	good := start(t, "a", idle(1, 1))
	pods := []Pod{good.Pod}
	for i := range 64 {
		pods = append(pods, Pod{Name: fmt.Sprint(i), Address: address})
	}
	w.Set(key, []Pod{good.Pod})
	ask(t, w)
	w.Set(key, pods)
	first := w.order(w.watched[key])[0]
	if first != good.Pod {
		t.Errorf("the first to be asked is %s", first.Name)
	}
	began := time.Now()
	ask(t, w)
	if took := time.Since(began); took > 2*roundTimeout {
		t.Errorf("the round took %v", took)
	}
	if f := w.Facts(key); f.Asked != 65 || f.Answered != 1 || f.Complete() {
		t.Errorf("%+v", f)
	}
}

// TestAnswersCountForAWhile checks that a missed answer changes nothing, and that an answer
// that is too old does not count.
func TestAnswersCountForAWhile(t *testing.T) {
	w, woken := watch(t)
	w.fresh = time.Minute
	a := start(t, "a", holding(7, 41, 90))
	w.Set(key, []Pod{a.Pod})
	ask(t, w)
	<-woken
	a.say("<html>")
	ask(t, w)
	if f := w.Facts(key); f.Answered != 1 || len(f.Stuck) != 1 || len(woken) != 0 {
		t.Errorf("after a missed answer: %+v, %d wakes", f, len(woken))
	}
	w.fresh = 0
	ask(t, w)
	if f := w.Facts(key); f.Answered != 0 || len(f.Stuck) != 0 || f.Saturation != -1 || len(woken) != 1 {
		t.Errorf("when the answer is too old: %+v, %d wakes", f, len(woken))
	}
}

// TestPodsThatLeaveAreForgotten checks that the answers of removed pods don't count.
func TestPodsThatLeaveAreForgotten(t *testing.T) {
	w, _ := watch(t)
	a, b := start(t, "a", holding(7, 41, 90)), start(t, "b", idle(1, 0))
	w.Set(key, []Pod{a.Pod, b.Pod})
	ask(t, w)
	w.Set(key, []Pod{b.Pod})
	if f := w.Facts(key); f.Asked != 1 || f.Answered != 1 || len(f.Stuck) != 0 || !f.Complete() {
		t.Errorf("%+v", f)
	}
}
