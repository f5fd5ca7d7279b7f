package kafka

import (
	"crypto/tls"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// The users of the brokers below.
var (
	alice = kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: "alice", Password: "alice's secret"}
	bob   = kafkatest.User{Mechanism: "SCRAM-SHA-256", Name: "bob", Password: "bob-secret"}
	carol = kafkatest.User{Mechanism: "PLAIN", Name: "carol", Password: "carol-secret"}
)

func credentials(user kafkatest.User) *SASL {
	return &SASL{Mechanism: user.Mechanism, Username: user.Name, Password: user.Password}
}

// tlsOf reads TLS settings as ConfigFrom does.
func tlsOf(t *testing.T, files config.TLS) *tls.Config {
	t.Helper()
	conf, err := onDisk.tls(&files, "kafka.tls")
	if err != nil {
		t.Fatalf("read the TLS files: %v", err)
	}
	return conf
}

func TestSecuredCluster(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.MutualTLS(), kafkatest.Users(alice, bob, carol),
		kafkatest.ACLs(
			kafkatest.ACL{User: "*", Resource: kmsg.ACLResourceTypeTopic, Name: "allowed", Operation: kmsg.ACLOperationDescribe},
			kafkatest.ACL{User: "alice", Resource: kmsg.ACLResourceTypeTopic, Name: "created", Operation: kmsg.ACLOperationCreate},
			kafkatest.ACL{User: "alice", Resource: kmsg.ACLResourceTypeTopic, Name: "created", Operation: kmsg.ACLOperationDescribe},
		))
	broker.CreateTopic("allowed", 2, nil)
	broker.CreateTopic("forbidden", 1, nil)
	pair := broker.CA.Client("worker")
	files := config.TLS{CAFiles: []string{broker.CA.File}, CertFile: pair.CertFile, KeyFile: pair.KeyFile}
	connect := func(t *testing.T, files config.TLS, user *SASL) *Client {
		t.Helper()
		return newTestClient(t, ClientConfig{BootstrapServers: broker.SecureAddrs(), TLS: tlsOf(t, files), SASL: user})
	}

	for _, user := range []kafkatest.User{alice, bob, carol} {
		t.Run(user.Mechanism, func(t *testing.T) {
			testGoodLogin(t, connect(t, files, credentials(user)))
		})
		t.Run("wrong password for "+user.Mechanism, func(t *testing.T) {
			wrong := credentials(user)
			wrong.Password = "wrong"
			err := pingQuickly(t, connect(t, files, wrong))
			expectError(t, err, ErrUnreachable, broker.SecureAddrs()[0], "SASL authentication failed", `user name "`+user.Name+`"`)
			expectError(t, err, kafkago.SASLAuthenticationFailed)
		})
	}
	t.Run("unknown mechanism", func(t *testing.T) {
		// Only the broker's list can say so.
		c := connect(t, files, credentials(alice))
		c.dialer.login.mechanism = renamed{c.dialer.login.mechanism}
		expectError(t, pingQuickly(t, c), kafkago.UnsupportedSASLMechanism,
			"the broker offers [PLAIN SCRAM-SHA-256 SCRAM-SHA-512], not SCRAM-SHA-1", "use a mechanism that this listener offers")
	})
	t.Run("no credentials", func(t *testing.T) {
		expectError(t, connect(t, files, nil).Ping(testContext(t)), ErrUnreachable,
			broker.SecureAddrs()[0], "does the listener expect SASL authentication?")
	})
	t.Run("another authority", func(t *testing.T) {
		other := files
		other.CAFiles = []string{kafkatest.NewCA(t).File}
		expectError(t, pingQuickly(t, connect(t, other, credentials(alice))), ErrUnreachable,
			broker.SecureAddrs()[0], "TLS handshake failed", "the CA file does not hold the authority")
	})
	t.Run("another server name", func(t *testing.T) {
		other := files
		other.ServerName = "kafka.example.com"
		expectError(t, pingQuickly(t, connect(t, other, credentials(alice))), ErrUnreachable,
			"TLS handshake failed", "kafka.example.com", "set serverName")
	})
	t.Run("matching server name", func(t *testing.T) {
		other := files
		other.ServerName = "localhost"
		testGoodLogin(t, connect(t, other, credentials(alice)))
	})
	t.Run("no client certificate", func(t *testing.T) {
		expectError(t, pingQuickly(t, connect(t, config.TLS{CAFiles: []string{broker.CA.File}}, credentials(alice))), ErrUnreachable,
			broker.SecureAddrs()[0], "the broker refused the client's certificate, or asks for one")
	})
	t.Run("client certificate of another authority", func(t *testing.T) {
		stranger := kafkatest.NewCA(t).Client("worker")
		other := config.TLS{CAFiles: []string{broker.CA.File}, CertFile: stranger.CertFile, KeyFile: stranger.KeyFile}
		expectError(t, pingQuickly(t, connect(t, other, credentials(alice))), ErrUnreachable, broker.SecureAddrs()[0])
	})
	t.Run("plaintext to TLS", func(t *testing.T) {
		c := clientOf(t, broker.SecureAddrs()...)
		expectError(t, c.Ping(testContext(t)), ErrUnreachable, broker.SecureAddrs()[0], "expect")
	})
	t.Run("SASL to a listener without it", func(t *testing.T) {
		c := newTestClient(t, ClientConfig{BootstrapServers: broker.Addrs(), SASL: credentials(alice)})
		expectError(t, pingQuickly(t, c), ErrUnreachable, broker.Addrs()[0], "this listener does not authenticate clients")
	})
	t.Run("expired client certificate", func(t *testing.T) {
		past := broker.CA.At(time.Now().AddDate(0, 0, -9)).Client("worker")
		other := config.TLS{CAFiles: []string{broker.CA.File}, CertFile: past.CertFile, KeyFile: past.KeyFile}
		expectError(t, pingQuickly(t, connect(t, other, credentials(alice))), ErrUnreachable,
			"the client's certificate has expired on "+time.Now().AddDate(0, 0, -8).Format(time.DateOnly))
	})
	t.Run("TLS to plaintext", func(t *testing.T) {
		c := newTestClient(t, ClientConfig{BootstrapServers: broker.Addrs(), TLS: tlsOf(t, files)})
		c.dialer.timeout = time.Second // Kafka waits for the rest of what it takes for a request
		expectError(t, c.Ping(testContext(t)), ErrUnreachable, broker.Addrs()[0], "TLS handshake failed", "does the listener speak TLS?")
	})
	t.Run("authorisation", func(t *testing.T) {
		testAuthorisation(t, connect(t, files, credentials(alice)), connect(t, files, credentials(bob)))
	})
}

func testGoodLogin(t *testing.T, c *Client) {
	t.Helper()
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatalf("Ping: %v", err)
	}
	// Over a connection to the leader too.
	offsets, err := c.ListOffsets(testContext(t), "allowed", []int32{0, 1}, Latest, config.ReadCommitted)
	if err != nil || len(offsets) != 2 {
		t.Errorf("ListOffsets: got %v, %v", offsets, err)
	}
}

// pingQuickly expects a refusal, which is for good and comes soon.
func pingQuickly(t *testing.T, c *Client) error {
	t.Helper()
	start := time.Now()
	err := c.Ping(testContext(t))
	if took := time.Since(start); took > connectTimeout {
		t.Errorf("took %v to fail", took)
	}
	if Retriable(err) || !Refused(err) {
		t.Errorf("a refusal is retriable: %v", err)
	}
	return err
}

func testAuthorisation(t *testing.T, alice, bob *Client) {
	t.Helper()
	ctx := testContext(t)
	_, err := alice.Partitions(ctx, "forbidden")
	expectError(t, err, ErrNotAuthorized, `topic "forbidden"`, "Describe")
	_, err = alice.ListOffsets(ctx, "forbidden", []int32{0}, Latest, config.ReadCommitted)
	expectError(t, err, ErrNotAuthorized, `topic "forbidden"`, "Describe")
	if err := alice.CreateTopic(ctx, "created", 1, 1); err != nil {
		t.Errorf("an allowed creation: %v", err)
	}
	expectError(t, bob.CreateTopic(ctx, "bobs", 1, 1), ErrNotAuthorized, `topic "bobs"`, "Create")
}
