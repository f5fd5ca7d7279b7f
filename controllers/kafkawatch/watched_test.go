package kafkawatch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

func TestSamplesAreKeptAsLongAsAsked(t *testing.T) {
	s := &watched{target: Target{History: 10 * time.Second}}
	start := time.Now()
	for i := range 100 {
		s.update(answer{at: start.Add(time.Duration(i) * time.Second), partitions: []Partition{{End: int64(i / 50)}}})
	}
	if len(s.samples) != 11 || !s.samples[0].At.Equal(start.Add(89*time.Second)) {
		t.Errorf("got %d samples, the first after %v", len(s.samples), s.samples[0].At.Sub(start))
	}
	// Samples without a change share their partitions.
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
		if got := s.update(answer{at: at, err: step.err}); got != step.news {
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
	identityOf := func(c Cluster) identity {
		login := c
		login.TLS = nil // the files hold no real certificates
		cfg, err := login.config(func(s ServiceAccount) kafka.TokenSource { return kafka.FileTokens(s.Namespace + "/" + s.Audience) })
		if err != nil {
			t.Fatal(err)
		}
		return c.identity(cfg.SASL)
	}
	same := func(a, b Cluster) bool { return identityOf(a) == identityOf(b) }
	base := func() Cluster {
		return Cluster{
			Kafka: config.Kafka{
				BootstrapServers: []string{"a:1", "b:2"},
				TLS:              &config.TLS{CAFiles: []string{"ca", "ca 2"}, CertFile: "cert", KeyFile: "key", ServerName: "name"},
				SASL:             &config.SASL{Mechanism: config.Plain, Username: "user", PasswordFile: "password"},
			},
			Files: map[string][]byte{"ca": []byte("ca"), "ca 2": []byte("ca"), "cert": []byte("cert"), "key": []byte("key"), "password": []byte("password")},
		}
	}
	one := base()
	if other := base(); !same(one, other) || !one.equal(&other) {
		t.Error("a copy of a cluster does not equal it")
	}
	for name, change := range map[string]func(*Cluster){
		"the order of the servers": func(c *Cluster) { c.BootstrapServers = []string{"b:2", "a:1"} },
		"the name of a Secret":     func(c *Cluster) { c.SASL.PasswordFile, c.Files["pass"] = "pass", []byte("password") },
		"the place of the name":    func(c *Cluster) { c.SASL.Username, c.SASL.UsernameFile, c.Files["name"] = "", "name", []byte("user\n") },
	} {
		other := base()
		change(&other)
		if !same(one, other) || one.equal(&other) {
			t.Errorf("%s: want the same identity, and equal to report the change", name)
		}
	}
	for name, change := range map[string]func(*Cluster){
		"servers":     func(c *Cluster) { c.BootstrapServers = []string{"a:1"} },
		"no TLS":      func(c *Cluster) { c.TLS = nil },
		"no SASL":     func(c *Cluster) { c.SASL = nil },
		"CA":          func(c *Cluster) { c.Files["ca"] = []byte("cac") },
		"second CA":   func(c *Cluster) { c.TLS.CAFiles = c.TLS.CAFiles[:1] },
		"moved bytes": func(c *Cluster) { c.Files["cert"], c.Files["key"] = []byte("certk"), []byte("ey") },
		"key":         func(c *Cluster) { c.Files["key"] = nil },
		"server name": func(c *Cluster) { c.TLS.ServerName = "" },
		"mechanism":   func(c *Cluster) { c.SASL.Mechanism = config.ScramSHA256 },
		"password":    func(c *Cluster) { c.Files["password"] = []byte("other") },
	} {
		other := base()
		change(&other)
		if same(one, other) || one.equal(&other) {
			t.Errorf("%s: a changed cluster has the same identity, or equal does not report the change", name)
		}
	}
}

// TestIdentityOfTokens checks that the source of a token identifies it, because tokens
// change.
func TestIdentityOfTokens(t *testing.T) {
	of := func(file string) identity {
		c := Cluster{Kafka: config.Kafka{BootstrapServers: []string{"a:1"}}}
		return c.identity(&kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: &kafka.OAuth{Tokens: kafka.FileTokens(file)}})
	}
	if one, again := of("a"), of("a"); one != again || one == of("b") {
		t.Error("want the same identity for one source of tokens, and different ones for two sources")
	}
}
