//go:build e2e

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// sample is a manifest of config/samples with its input and the expected output. Each file of
// that folder has to have a sample here.
type sample struct {
	file string
	// in are the records, all in one partition of the input topic.
	in []*kgo.Record
	// out are the records of the output topic in the form of shown, in this order if
	// ordered.
	out     []string
	ordered bool
	// deadLetters is the number of dead letters.
	deadLetters int
	// named are the records of the topics that the expression names, by topic.
	named map[string][]string
}

// moment is the timestamp of all records. It is recent, because Kafka would delete old ones.
var moment = time.Now().Truncate(time.Millisecond)

var allSamples = []sample{
	{
		file: "copy.yaml",
		in: []*kgo.Record{
			{Key: []byte("a"), Value: []byte("one"), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("7")}}},
			{Key: []byte("a")},
			{Value: []byte{}},
		},
		out: []string{`"a" "one" trace="7"`, `"a" null`, `null ""`},
	},
	{
		file: "access-log-alerts.yaml",
		in: []*kgo.Record{
			{Value: []byte(`{"time":"t0","request_id":"r0","client":"c0","method":"GET","path":"/","status":200,"duration_ms":12.5,"user_agent":"Firefox"}`)},
			{Value: []byte(`{"time":"t1","request_id":"r1","client":"c1","method":"GET","path":"/products/17?page=2","status":503,"duration_ms":12.5,"user_agent":"Googlebot"}`)},
			{Value: []byte(`{"time":"t2","request_id":"r2`)},
			{Value: []byte(`{"time":"t3","request_id":"r3","client":"c3","method":"POST","path":"/orders","status":201,"duration_ms":900,"user_agent":"Firefox"}`)},
		},
		out: []string{
			`"c1" "{\"client\":\"c1\",\"duration_ms\":12.5,\"request\":\"r1\",\"robot\":true,\"route\":\"GET /products/:id\",` +
				`\"severity\":\"error\",\"source\":{\"offset\":1,\"partition\":0},\"status\":503,\"time\":\"t1\"}"`,
			`"c3" "{\"client\":\"c3\",\"duration_ms\":900,\"request\":\"r3\",\"robot\":false,\"route\":\"POST /orders\",` +
				`\"severity\":\"slow\",\"source\":{\"offset\":3,\"partition\":0},\"status\":201,\"time\":\"t3\"}"`,
		},
		deadLetters: 1,
	},
	{
		file: "language/language.yaml",
		in: []*kgo.Record{
			{Key: []byte("c-1"), Value: []byte(`{"id":"m-1","text":"Wo bleibt mein Paket?"}`)},
			{Value: []byte(`{"id":"m-2","text":"Where is my pa`)},
		},
		out: []string{
			`"c-1" "{\"id\":\"m-1\",\"text\":\"Wo bleibt mein Paket?\",\"language\":\"de\",\"confidence\":0.804}" language="de"`,
		},
		deadLetters: 1,
	},
	{
		file: "minimal.yaml",
		in: []*kgo.Record{
			{Key: []byte("A-17"), Value: []byte(`{"id":"A-17","customer":"c-4","total":120.5}`)},
			{Value: []byte(`{"id":"A-18","customer":"c-4","total":99.9}`)},
		},
		out: []string{`"A-17" "{\"id\":\"A-17\",\"total\":120.5}"`},
	},
	{
		file: "key-ordered.yaml",
		in: []*kgo.Record{
			{Key: []byte("a-1"), Value: []byte(`{"booking":1,"account":"a-1","cents":300}`)},
			{Key: []byte("a-1"), Value: []byte(`{"booking":2,"account":"a-1","cents":-250}`)},
			{Key: []byte("a-1"), Value: []byte(`{"booking":3}`)},
			{Key: []byte("a-1"), Value: []byte(`{"booking":4,"account":"a-1","cents":-50}`)},
			{Key: []byte("a-1"), Value: []byte(`{"booking":5,"account":"a-1","cents":10}`)},
		},
		out: []string{
			`"a-1" "{\"account\":\"a-1\",\"booking\":1,\"cents\":300,\"kind\":\"credit\"}"`,
			`"a-1" "{\"account\":\"a-1\",\"booking\":2,\"cents\":-250,\"kind\":\"debit\"}"`,
			`"a-1" "{\"account\":\"a-1\",\"booking\":4,\"cents\":-50,\"kind\":\"debit\"}"`,
			`"a-1" "{\"account\":\"a-1\",\"booking\":5,\"cents\":10,\"kind\":\"credit\"}"`,
		},
		ordered:     true,
		deadLetters: 1,
	},
	{
		file: "scale-to-zero.yaml",
		in:   []*kgo.Record{{Value: []byte(`{"team":"north","lines":["all well","URGENT: flood"]}`)}},
		out:  []string{`"north" "{\"lines\":2,\"team\":\"north\",\"urgent\":true}"`},
	},
	{
		file: "enrich.yaml",
		in: []*kgo.Record{
			{Key: []byte("c-4"), Value: []byte(`{"id":"S-1","country":"CH","total":1200}`)},
			{Value: []byte(`{"id":"S-2","total":5}`)},
		},
		out:         []string{`"c-4" "{\"country\":\"CH\",\"currency\":\"CHF\",\"id\":\"S-1\",\"large\":true,\"total\":1200}"`},
		deadLetters: 1,
	},
	{
		file: "order-lines.yaml",
		in: []*kgo.Record{
			{Key: []byte("o-1"), Value: []byte(`{"id":1,"lines":[{"sku":"A-1","quantity":2,"price":1.25},{"sku":"B-2","quantity":1,"price":5}]}`)},
		},
		out: []string{
			`"A-1" "{\"id\":1,\"line\":1,\"quantity\":2,\"sku\":\"A-1\",\"total\":\"2.50\"}"`,
			`"B-2" "{\"id\":1,\"line\":2,\"quantity\":1,\"sku\":\"B-2\",\"total\":\"5.00\"}"`,
		},
	},
	{
		file: "redact.yaml",
		in:   []*kgo.Record{{Key: []byte("c-1"), Value: []byte(`{"id":"c-1","card":"4000111122223333","email":"ada@example.com"}`)}},
		out:  []string{`"c-1" "{\"email\":\"***@example.com\",\"id\":\"c-1\"}"`},
	},
	{
		file: "route.yaml",
		in: []*kgo.Record{
			{Key: []byte("a"), Value: []byte(`{"country":"CH"}`)},
			{Key: []byte("b"), Value: []byte(`{"country":"US"}`)},
			{Key: []byte("c"), Value: []byte(`{"country":"JP"}`)},
		},
		out:   []string{`"c" "{\"country\":\"JP\"}"`},
		named: map[string][]string{"parcels-europe": {`"a" "{\"country\":\"CH\"}"`}, "parcels-america": {`"b" "{\"country\":\"US\"}"`}},
	},
	{
		file: "rekey.yaml",
		in: []*kgo.Record{
			{Key: []byte("I-1"), Value: []byte(`{"customer": "c-4"}`)},
			{Key: []byte("I-1")},
			{Key: []byte("I-2"), Value: []byte(`{}`)},
		},
		out:         []string{`"c-4" "{\"customer\": \"c-4\"}"`},
		deadLetters: 1,
	},
	{
		file: "logs-to-json.yaml",
		in: []*kgo.Record{
			{Value: []byte(`192.0.2.7 - - [23/Nov/2026:08:15:42 +0000] "GET /orders/4711 HTTP/1.1" 503 512 "-" "curl/8.5"`)},
			{Value: []byte(`connection reset by peer`)},
		},
		out: []string{`null "{\"agent\":\"curl/8.5\",\"bytes\":512,\"client\":\"192.0.2.7\",\"method\":\"GET\",` +
			`\"path\":\"/orders/4711\",\"status\":503,\"time\":\"23/Nov/2026:08:15:42 +0000\"}"`},
		deadLetters: 1,
	},
	{
		file: "avro-route.yaml",
		in: []*kgo.Record{
			{Key: []byte("A-1"), Value: []byte("\x00\x00\x00\x00\x07\xffA-1"), Headers: []kgo.RecordHeader{{Key: "event", Value: []byte("OrderPaid")}}},
			{Key: []byte("A-2"), Value: []byte("\x00\x00\x00\x00\x08\xffA-2")},
		},
		out:   []string{`"A-2" "\x00\x00\x00\x00\b\xffA-2"`},
		named: map[string][]string{"orders-paid": {`"A-1" "\x00\x00\x00\x00\a\xffA-1" event="OrderPaid"`}},
	},
	{
		file: "tls-scram/tls-scram.yaml",
		in:   []*kgo.Record{{Value: []byte(`{"payment":7,"card":"4111111111111111","cents":1250}`)}},
		out:  []string{`null "{\"card\":\"1111\",\"cents\":1250,\"payment\":7}"`},
	},
}

// shown formats a record's key, value and headers.
func shown(r *kgo.Record) string {
	quoted := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	all := []string{quoted(r.Key), quoted(r.Value)}
	for _, h := range r.Headers {
		all = append(all, h.Key+"="+quoted(h.Value))
	}
	return strings.Join(all, " ")
}

// samples applies each sample unchanged, except for the brokers' address. The samples stay
// until the end.
func samples(s *suite, broker *kafkatest.Broker) {
	s.expectAllSamples()
	// The Secrets that tls-scram.yaml refers to.
	s.kubectl("create", "secret", "generic", "kafka-ca", "--from-file=ca.crt="+broker.CA.File)
	s.kubectl("create", "secret", "generic", "kafka-user", "--from-literal=username="+user, "--from-literal=password="+password)
	for _, c := range allSamples {
		s.Run(strings.TrimSuffix(filepath.Base(c.file), ".yaml"), func(t *testing.T) {
			view := *s
			view.T, view.kafka = t, s.kafka.For(t)
			c.test(&view, broker)
		})
	}
}

// withOtherImages are the samples whose images are not this repository's. The node has no
// registry to take them from; the tests of cmd/millrace run them.
var withOtherImages = []string{"access-log-python.yaml", "language-python.yaml", "order-totals.yaml"}

// expectAllSamples fails the test if a StreamProcessor in config/samples is neither in allSamples
// nor in withOtherImages.
func (s *suite) expectAllSamples() {
	s.Helper()
	dir := filepath.Join(root, "config", "samples")
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(content), "kind: StreamProcessor") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if !slices.ContainsFunc(allSamples, func(c sample) bool { return c.file == name }) && !slices.Contains(withOtherImages, name) {
			s.Errorf("sample %s is not in allSamples", name)
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

func (c sample) test(s *suite, broker *kafkatest.Broker) {
	content, err := os.ReadFile(filepath.Join(root, "config", "samples", c.file))
	if err != nil {
		s.Fatal(err)
	}
	manifest := strings.NewReplacer("kafka:9092", broker.Addrs()[0], "kafka:9093", broker.SecureAddrs()[0]).
		Replace(string(content))
	var sp v1alpha1.StreamProcessor
	if err := yaml.Unmarshal([]byte(manifest), &sp); err != nil {
		s.Fatal(err)
	}
	s.createTopics(&sp)
	for topic := range c.named {
		s.kafka.CreateTopic(topic, 1, nil)
	}
	s.apply(manifest)
	if sp.Name == reports {
		restsAtZero(s, patience)
	}
	for _, r := range c.in {
		r.Topic, r.Timestamp = sp.Spec.Input.Topic, moment
	}
	s.kafka.Produce(c.in...)
	s.awaitRecords(sp.Spec.Output.Topic, c.out, c.ordered)
	for topic, records := range c.named {
		s.awaitRecords(topic, records, c.ordered)
	}
	s.awaitConditions(sp.Name,
		condition{kind: "Ready", status: metav1.ConditionTrue}, condition{kind: "KafkaReachable", status: metav1.ConditionTrue})
	if c.deadLetters > 0 {
		s.await("dead letters", patience, func() error {
			if n := len(s.kafka.ConsumeAll(sp.Spec.Failure.DeadLetter.Topic, kgo.ReadCommitted())); n != c.deadLetters {
				return fmt.Errorf("there are %d, want %d", n, c.deadLetters)
			}
			return nil
		})
	}
}

// createTopics creates the topics that the StreamProcessor does not create itself.
func (s *suite) createTopics(sp *v1alpha1.StreamProcessor) {
	s.Helper()
	s.kafka.CreateTopic(sp.Spec.Input.Topic, 1, nil)
	if sp.Spec.Output.Create == nil {
		s.kafka.CreateTopic(sp.Spec.Output.Topic, 1, nil)
	}
	if letters := sp.Spec.Failure.DeadLetter; letters != nil && letters.Create == nil {
		s.kafka.CreateTopic(letters.Topic, 1, nil)
	}
}

// awaitRecords waits until a topic has these records and no others.
func (s *suite) awaitRecords(topic string, want []string, ordered bool) {
	s.Helper()
	s.await("the records of topic "+topic, patience, func() error {
		var got []string
		if s.kafka.Partitions(topic) > 0 {
			for _, r := range s.kafka.ConsumeAll(topic, kgo.ReadCommitted()) {
				got = append(got, shown(r))
				if !r.Timestamp.Equal(moment) {
					return fmt.Errorf("record %s has the timestamp %v", shown(r), r.Timestamp)
				}
			}
		}
		if !ordered {
			slices.Sort(got)
			want = slices.Sorted(slices.Values(want))
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("there are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}
