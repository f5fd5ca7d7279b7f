package kafkatest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broker is a running Apache Kafka: one broker that is its own controller.
type Broker struct {
	Cluster
	// CA has signed the secure listener's certificate. It is nil without TLS.
	CA *CA

	dir     string
	host    string
	release string
	ports   ports
	process *process
}

type ports struct{ plain, controller, secure int }

// Apache starts an Apache Kafka for the test, and stops it at the test's end. It skips
// the test on machines without Java, or without Maven for the first download; in
// continuous integration it fails the test there. When the test fails, its log shows the
// broker's log.
func Apache(tb testing.TB, opts ...Option) *Broker {
	tb.Helper()
	s := newSettings(opts)
	requireKafka(tb, s.release)
	b := newBroker(tb, tb.TempDir(), s)
	tb.Cleanup(func() {
		b.Kill()
		if tb.Failed() {
			b.showLog()
		}
	})
	return b
}

func newBroker(tb testing.TB, dir string, s *settings) *Broker {
	tb.Helper()
	free := freePorts(tb, 3)
	b := &Broker{dir: dir, host: s.host, release: s.release, ports: ports{plain: free[0], controller: free[1], secure: free[2]}}
	if s.ports != nil {
		b.ports = *s.ports
	}
	b.Cluster = Cluster{tb: tb, addrs: []string{b.address(b.ports.plain)}}
	if s.tls {
		b.CA = NewCA(tb)
	}
	b.format(s)
	b.Start()
	b.allow(s.acls)
	return b
}

func (b *Broker) address(port int) string { return fmt.Sprintf("%s:%d", b.host, port) }

// SecureAddrs returns the bootstrap servers of the secure listener, which options such
// as TLS and Users add.
func (b *Broker) SecureAddrs() []string { return []string{b.address(b.ports.secure)} }

func (b *Broker) propertiesFile() string { return filepath.Join(b.dir, "server.properties") }
func (b *Broker) logFile() string        { return filepath.Join(b.dir, "broker.log") }

// format writes server.properties and the log directory.
func (b *Broker) format(s *settings) {
	b.tb.Helper()
	if err := os.WriteFile(b.propertiesFile(), []byte(lines(b.properties(s))), 0o600); err != nil {
		b.tb.Fatalf("write the broker's configuration: %v", err)
	}
	args := slices.Concat([]string{"format", b.propertiesFile()}, s.scramArguments(), s.features)
	if out, err := kafkaCommand(b.release, script(b.tb), args...).CombinedOutput(); err != nil {
		b.tb.Fatalf("format the broker's log directory: %v\n%s", err, out)
	}
}

func (b *Broker) properties(s *settings) map[string]string {
	properties := map[string]string{
		"process.roles":                       "broker,controller",
		"node.id":                             "1",
		"controller.quorum.bootstrap.servers": b.address(b.ports.controller),
		"controller.listener.names":           "CONTROLLER",
		"inter.broker.listener.name":          "PLAIN",
		"listeners":                           fmt.Sprintf("PLAIN://%s,CONTROLLER://%s", b.address(b.ports.plain), b.address(b.ports.controller)),
		"listener.security.protocol.map":      "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:" + s.protocol(),
		"log.dirs":                            filepath.Join(b.dir, "data"),
		"num.partitions":                      "1",
		"auto.create.topics.enable":           "false",
		"group.initial.rebalance.delay.ms":    "0",
		// Records keep the timestamps that tests give them, however old those are.
		"log.retention.ms": "-1",
		// A killed broker may register again only when its old session is over.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",
		// Fewer partitions of the internal topics make them ready sooner.
		"offsets.topic.num.partitions":                     "3",
		"offsets.topic.replication.factor":                 "1",
		"transaction.state.log.num.partitions":             "3",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",
	}
	if s.secure {
		properties["listeners"] += ",SECURE://" + b.address(b.ports.secure)
	}
	if s.tls {
		maps.Copy(properties, b.tlsProperties(s))
	}
	maps.Copy(properties, s.saslProperties())
	if s.authorizer {
		properties["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		properties["super.users"] = "User:ANONYMOUS"
	}
	maps.Copy(properties, s.properties)
	return properties
}

func (b *Broker) tlsProperties(s *settings) map[string]string {
	b.tb.Helper()
	properties := map[string]string{
		"ssl.keystore.type":       "PEM",
		"ssl.keystore.location":   b.CA.Server("localhost", b.host).File,
		"ssl.truststore.type":     "PEM",
		"ssl.truststore.location": b.CA.File,
	}
	if s.clientAuth {
		// Without the prefix, the broker ignores the property together with SASL.
		properties["listener.name.secure.ssl.client.auth"] = "required"
	}
	return properties
}

// Start starts the broker on the same ports and data after Stop or Kill, and
// waits until it answers.
func (b *Broker) Start() {
	b.tb.Helper()
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.tb.Fatalf("open the broker's log: %v", err)
	}
	defer func() { _ = log.Close() }()
	if b.process, err = start(b.release, script(b.tb), b.propertiesFile(), log); err != nil {
		b.tb.Fatalf("start Apache Kafka: %v", err)
	}
	b.awaitReady()
}

// awaitReady waits until the answer to a metadata request names the broker. The answer
// does not name it before it is ready.
func (b *Broker) awaitReady() {
	b.tb.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
	if err != nil {
		b.tb.Fatalf("make a franz-go client: %v", err)
	}
	defer client.Close()
	b.Eventually("Apache Kafka answers a metadata request", func() bool {
		select {
		case <-b.process.exited:
			b.tb.Fatalf("Apache Kafka ended while it was starting: %v\n%s", b.process.err, b.logTail())
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		res, err := req.RequestWith(ctx, client)
		return err == nil && len(res.Brokers) > 0
	})
}

// Stop shuts the broker down as an administrator would. Start brings it back.
func (b *Broker) Stop() { b.process.end(syscall.SIGTERM) }

// Kill ends the broker at once (SIGKILL). Start brings it back.
func (b *Broker) Kill() { b.process.end(syscall.SIGKILL) }

// Restart calls Stop and Start.
func (b *Broker) Restart() {
	b.tb.Helper()
	b.Stop()
	b.Start()
}

// allow creates the ACLs.
func (b *Broker) allow(acls []ACL) {
	b.tb.Helper()
	if len(acls) == 0 {
		return
	}
	req := kmsg.NewPtrCreateACLsRequest()
	for _, acl := range acls {
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.ResourceName = acl.Resource, acl.Name
		creation.ResourcePatternType = kmsg.ACLResourcePatternTypeLiteral
		creation.Principal, creation.Host = "User:"+acl.User, "*"
		creation.Operation, creation.PermissionType = acl.Operation, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, creation)
	}
	for _, result := range request[*kmsg.CreateACLsResponse](&b.Cluster, req).Results {
		if err := kerr.ErrorForCode(result.ErrorCode); err != nil {
			b.tb.Fatalf("create an ACL: %v", err)
		}
	}
}

func (b *Broker) showLog() { b.tb.Logf("the end of Apache Kafka's log:\n%s", b.logTail()) }

// logTail returns the last lines of the broker's log.
func (b *Broker) logTail() string {
	const count = 80
	content, err := os.ReadFile(b.logFile())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-count):], "\n")
}

// LogDir returns the directory that holds a partition's log.
func (b *Broker) LogDir(topic string, partition int32) string {
	return filepath.Join(b.dir, "data", fmt.Sprintf("%s-%d", topic, partition))
}
