package kafkawatch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
)

func TestSamplesAreKeptAsLongAsAsked(t *testing.T) {
	s := &watched{target: Target{History: 10 * time.Second}}
	start := time.Now()
	for i := range 100 {
		s.take(answer{at: start.Add(time.Duration(i) * time.Second), partitions: []Partition{{End: int64(i / 50)}}})
	}
	if len(s.samples) != 11 || !s.samples[0].At.Equal(start.Add(89*time.Second)) {
		t.Errorf("got %d samples, the first after %v", len(s.samples), s.samples[0].At.Sub(start))
	}
	// What has not moved is kept once.
	for _, sample := range s.samples[1:] {
		if &sample.Partitions[0] != &s.samples[0].Partitions[0] {
			t.Error("the same partitions are kept twice")
		}
	}
}

func TestErrorsThatAreWorthTelling(t *testing.T) {
	start := time.Now()
	one, two := errors.New("one"), errors.New("two")
	refused := fmt.Errorf("refused: %w", kafka.ErrNotAuthorized)
	s := &watched{}
	for _, step := range []struct {
		after time.Duration
		err   error
		news  bool
		kept  error
		since time.Duration
	}{
		{0, one, true, one, 0},
		{time.Second, one, false, one, 0},
		{2 * time.Second, two, false, one, 0},
		{3 * time.Second, refused, true, refused, 0},
		{4 * time.Second, one, true, one, 0},
		{4*time.Second + errorInterval, one, false, one, 0},
		{5*time.Second + errorInterval, two, true, two, 0},
		{6*time.Second + errorInterval, nil, true, nil, -1},
		{7*time.Second + errorInterval, nil, false, nil, -1},
		{8*time.Second + errorInterval, two, true, two, 8*time.Second + errorInterval},
	} {
		at := start.Add(step.after)
		if got := s.take(answer{at: at, err: step.err}); got != step.news {
			t.Errorf("after %v: news %t, want %t", step.after, got, step.news)
		}
		since := start.Add(step.since)
		if step.since < 0 {
			since = time.Time{}
		}
		if !errors.Is(s.facts.Err, step.kept) || !s.facts.Since.Equal(since) {
			t.Errorf("after %v: got %v since %v, want %v since %v", step.after, s.facts.Err, s.facts.Since, step.kept, since)
		}
	}
}

func TestIdentity(t *testing.T) {
	same := func(a, b Cluster) bool { return a.identity() == b.identity() }
	base := func() Cluster {
		return Cluster{
			BootstrapServers: []string{"a:1", "b:2"},
			TLS:              &TLS{CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key"), ServerName: "name"},
			SASL:             &kafka.SASL{Mechanism: "PLAIN", Username: "user", Password: "password"},
		}
	}
	one := base()
	if other := base(); !same(one, other) || !one.equal(&other) {
		t.Error("a copy is not the same")
	}
	turned := base()
	turned.BootstrapServers = []string{"b:2", "a:1"}
	if !same(one, turned) {
		t.Error("the order of the servers makes another cluster")
	}
	for name, change := range map[string]func(*Cluster){
		"servers":     func(c *Cluster) { c.BootstrapServers = []string{"a:1"} },
		"no TLS":      func(c *Cluster) { c.TLS = nil },
		"no SASL":     func(c *Cluster) { c.SASL = nil },
		"CA":          func(c *Cluster) { c.TLS.CA = []byte("cac") },
		"moved bytes": func(c *Cluster) { c.TLS.CA, c.TLS.Cert = []byte("cac"), []byte("ert") },
		"key":         func(c *Cluster) { c.TLS.Key = nil },
		"server name": func(c *Cluster) { c.TLS.ServerName = "" },
		"mechanism":   func(c *Cluster) { c.SASL.Mechanism = "SCRAM-SHA-256" },
		"password":    func(c *Cluster) { c.SASL.Password = "other" },
	} {
		other := base()
		change(&other)
		if same(one, other) || one.equal(&other) {
			t.Errorf("%s: taken for the same", name)
		}
	}
}
