package kafka

import (
	"crypto/tls"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// encrypted starts a broker with a certificate that is valid around a time.
func encrypted(t *testing.T, ca *kafkatest.CA) *kafkatest.FakeCluster {
	t.Helper()
	pair := ca.Server("127.0.0.1")
	certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return kafkatest.Fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
}

// TestCertificatesOutOfTheirTimeAreNamed: the error blames the certificate that has
// expired, and not the client's.
func TestCertificatesOutOfTheirTimeAreNamed(t *testing.T) {
	ca := kafkatest.NewCA(t)
	for name, days := range map[string]int{"expired": -9, "of the future": 9} {
		t.Run(name, func(t *testing.T) {
			broker := encrypted(t, ca.At(time.Now().AddDate(0, 0, days)))
			cfg := ClientConfig{BootstrapServers: broker.Addrs(), TLS: tlsOf(t, config.TLS{CAFiles: []string{ca.File}})}
			err := pingQuickly(t, newTestClient(t, cfg))
			expectError(t, err, ErrUnreachable, "has expired or is not yet valid", "renew the broker's certificate, or set the clock")
			if strings.Contains(err.Error(), "client") {
				t.Errorf("the error blames the client's certificate: %v", err)
			}
			cfg.Trusts = func(string, net.Addr) bool { return false }
			expectError(t, pingQuickly(t, newTestClient(t, cfg)), ErrUnreachable, "the certificate has expired or is not valid yet")
		})
	}
}

// TestOwnCertificateOutOfItsTime: a broker that refuses it does not say why.
func TestOwnCertificateOutOfItsTime(t *testing.T) {
	ca := kafkatest.NewCA(t)
	for days, want := range map[int]string{-9: "the client's certificate has expired on ", 0: "", 9: "the client's certificate is valid only from "} {
		pair := ca.At(time.Now().AddDate(0, 0, days)).Client("worker")
		d := &dialer{tls: tlsOf(t, config.TLS{CAFiles: []string{ca.File}, CertFile: pair.CertFile, KeyFile: pair.KeyFile})}
		if got := d.ownCertificate(time.Now()); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%d days: %q, want %q", days, got, want)
		}
	}
	if got := (&dialer{}).ownCertificate(time.Now()); got != "" {
		t.Errorf("without TLS: %q", got)
	}
	refused := &net.OpError{Op: "remote error", Err: &net.AddrError{Err: "tls: bad certificate"}}
	message := (&DialError{Address: "a:1", Stage: StageTLS, Err: refused, certificate: "it has expired"}).Error()
	if !strings.HasSuffix(message, "(it has expired)") {
		t.Error(message)
	}
}

// TestAdvertisedAddressIsNamed: a user knows only the bootstrap servers. The error of any
// other address says where that comes from.
func TestAdvertisedAddressIsNamed(t *testing.T) {
	away := kafkatest.UnusedAddr(t)
	d := &dialer{servers: []string{"127.0.0.1:1"}, brokers: &brokerSet{}, connect: new(net.Dialer).DialContext, timeout: connectTimeout}
	_, err := d.dialServer(testContext(t), away)
	expectError(t, err, syscall.ECONNREFUSED, away+", which a broker advertises: connect failed", "advertised.listeners")
	_, err = d.dialServer(testContext(t), "127.0.0.1:1")
	expectError(t, err, syscall.ECONNREFUSED, "127.0.0.1:1: connect failed", "is the broker running")
	missing := &DialError{Address: "kafka:9092", Stage: StageConnect, Err: &net.DNSError{Name: "kafka", IsNotFound: true}, advertised: true}
	if message := missing.Error(); !strings.Contains(message, "advertised.listeners") {
		t.Error(message)
	}
}

func TestListenerWithoutSASLIsNamed(t *testing.T) {
	err := &DialError{Address: "kafka:9092", Stage: StageSASL, Err: kafkago.IllegalSASLState, remedy: (&SASL{}).remedy()}
	if message := err.Error(); !strings.Contains(message, "does not authenticate clients") || strings.Contains(message, "password") {
		t.Error(message)
	}
	if !err.Permanent() {
		t.Error("the error passes without anybody doing anything")
	}
}
