package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestErrorsNameWhatIsWrong: the error of a run that can't work names the mistake and
// its place.
func TestErrorsNameWhatIsWrong(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out", "halting"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "halting", Value: []byte("x")})
	topics := func(in, out, spec string) string {
		return writeFile(t, "manifest.yaml", []byte(strings.NewReplacer("{topic: in}", "{topic: "+in+"}", "{topic: out}", "{topic: "+out+"}").Replace(baseManifest)+spec))
	}
	good := writeManifest(t, copying)
	image := writeManifest(t, "  processor: {container: {image: registry/program}}\n")
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no manifest":          {nil, []string{"-f FILE"}},
		"manifest without -f":  {[]string{"a.yaml"}, []string{`"a.yaml"`, "-f FILE"}},
		"no such manifest":     {[]string{"-f", "/no/such.yaml"}, []string{"/no/such.yaml"}},
		"unknown field":        {[]string{"-f", writeManifest(t, copying+"  orderring: Key\n")}, []string{"manifest.yaml:9:3: spec.orderring: there is no such field; did you mean ordering?"}},
		"bad value":            {[]string{"-f", writeManifest(t, copying+"  ordering: Keyed\n")}, []string{"ordering", "Keyed"}},
		"bad expression":       {[]string{"-f", writeManifest(t, "  processor: {cel: {filter: 'value ==='}}\n")}, []string{"filter"}},
		"filter as a tag":      {[]string{"-f", writeManifest(t, "  processor:\n    cel:\n      filter: !has(json.a)\n")}, []string{"manifest.yaml:10:15: spec.processor.cel.filter: YAML takes !has(json.a) for the name of a type"}},
		"empty filter":         {[]string{"-f", writeManifest(t, "  processor: {cel: {filter: ''}}\n")}, []string{"spec.processor.cel.filter: it is empty"}},
		"not YAML":             {[]string{"-f", writeFile(t, "m.yaml", []byte("{"))}, []string{"m.yaml"}},
		"other kind":           {[]string{"-f", writeFile(t, "m.yaml", []byte("kind: Pod\napiVersion: v1\n"))}, []string{"m.yaml", "Pod", "StreamProcessor"}},
		"two of them":          {[]string{"-f", writeFile(t, "m.yaml", []byte(baseManifest+copying+"---\n"+baseManifest+copying))}, []string{"m.yaml", "2 documents"}},
		"image without exec":   {[]string{"-f", image}, []string{"spec.processor.container", "--exec"}},
		"exec without image":   {[]string{"-f", good, "--exec", "true"}, []string{"--exec", "spec.processor.container"}},
		"template's field":     {[]string{"-f", writeManifest(t, copying+"  template: {spec: {containers: [{name: worker, imge: a}]}}\n")}, []string{"spec.template.spec.containers[0].imge"}},
		"template's grace":     {[]string{"-f", writeManifest(t, copying+"  template: {spec: {terminationGracePeriodSeconds: 1}}\n")}, []string{"spec.template.spec.terminationGracePeriodSeconds"}},
		"template's label":     {[]string{"-f", writeManifest(t, copying+"  template: {metadata: {labels: {a: b c}}}\n")}, []string{"spec.template.metadata.labels"}},
		"no such input file":   {[]string{"-f", good, "--input-file", "/no/such.jsonl"}, []string{"--input-file", "/no/such.jsonl"}},
		"no such directory":    {[]string{"-f", good, "--output-file", "/no/such/out.jsonl"}, []string{"--output-file", "/no/such/out.jsonl"}},
		"no replicas":          {[]string{"-f", good, "--replicas", "0"}, []string{"--replicas"}},
		"empty brokers":        {[]string{"-f", good, "--brokers", ""}, []string{"--brokers is empty"}},
		"blank broker":         {[]string{"-f", good, "--brokers", "a:1, ,b:1"}, []string{"--brokers", "empty address"}},
		"empty group":          {[]string{"-f", good, "--group", ""}, []string{"--group is empty"}},
		"empty input file":     {[]string{"-f", good, "--input-file", " "}, []string{"--input-file is empty"}},
		"wrong namespace":      {[]string{"-f", good, "--namespace", "A B"}, []string{`--namespace is "A B"`, "lower-case letters"}},
		"number of replicas":   {[]string{"-f", good, "--replicas", "two"}, []string{`--replicas is "two": it must be a whole number`}},
		"number of a port":     {[]string{"-f", good, "--status-port", "80000"}, []string{`--status-port is "80000": it must be a whole number from 0 to 65535`}},
		"misspelt flag":        {[]string{"-f", good, "--outputfile", "x"}, []string{"unknown flag: --outputfile; did you mean --output-file?"}},
		"other flag":           {[]string{"-f", good, "--zookeeper", "x"}, []string{"unknown flag: --zookeeper: ", "--help lists the flags"}},
		"format of no input":   {[]string{"-f", good, "--input-format", "json"}, []string{"--input-format needs --input-file"}},
		"input format":         {[]string{"-f", good, "--input-format", "xml"}, []string{"--input-format", "lines, json, csv, kcat"}},
		"output format":        {[]string{"-f", good, "--output-format", "xml"}, []string{"--output-format", "lines, json, csv, kcat"}},
		"limit of what":        {[]string{"-f", good, "--limit", "3"}, []string{"--limit needs --input-file or --dry-run"}},
		"negative limit":       {[]string{"-f", good, "--limit", "-3"}, []string{"--limit must not be negative"}},
		"two groups":           {[]string{"-f", good, "--group", "g", "--from-beginning"}, []string{"--from-beginning", "--group"}},
		"dry and embedded":     {[]string{"-f", good, "--dry-run"}, []string{"--dry-run needs --brokers"}},
		"dry with a file":      {[]string{"-f", good, "--dry-run", "--brokers", brokers, "--input-file", good}, []string{"--dry-run reads the input topic"}},
		"no dead letters":      {[]string{"-f", good, "--dead-letter-file", filepath.Join(t.TempDir(), "d")}, []string{"--dead-letter-file", "spec.failure.deadLetter"}},
		"used port":            {[]string{"-f", good, "--status-port", usedPort(t)}, []string{"telemetry.listen", "address already in use"}},
		"no such partition":    {[]string{"-f", good, "--input-format", "json", "--input-file", writeFile(t, "in", []byte(`{"partition":8}`))}, []string{"line 1 of ", `topic "in" has no partition 8`}},
		"wrong record":         {[]string{"-f", good, "--input-format", "json", "--input-file", writeFile(t, "in", []byte("{}\n{\"v\":1}"))}, []string{"line 2 of ", `unknown field "v"`}},
		"log level":            {[]string{"-f", good, "--log-level", "2"}, []string{"--log-level", "Info or Debug"}},
		"no broker there":      {[]string{"-f", good, "--brokers", "127.0.0.1:1"}, []string{"127.0.0.1:1"}},
		"no such input topic":  {[]string{"-f", topics("missing", "out", copying), "--brokers", brokers}, []string{"input topic", "missing"}},
		"no such output topic": {[]string{"-f", topics("in", "missing", copying), "--brokers", brokers}, []string{"output topic", "missing"}},
		"halt": {
			[]string{"-f", topics("halting", "out", "  processor: {cel: {value: 'json.a'}}\n  failure: {maxAttempts: 1, onExhausted: Halt}\n"), "--brokers", brokers},
			[]string{"halting", "partition 0", "offset 0"},
		},
		"program fails":         {[]string{"-f", image, "--exec", "sh -c 'echo out of luck >&2; exit 4'"}, []string{"--exec", "exit status 4", "out of luck"}},
		"summary can't be kept": {[]string{"-f", good, "--until-drained", "--summary", filepath.Join(t.TempDir(), "no", "such.json")}, []string{"--summary", "such.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := millraceRun(testContext(t), t, nil, c.args...)
			if o.err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(o.err.Error(), want) {
					t.Errorf("error %q does not name %q", o.err, want)
				}
			}
		})
	}
}

// TestOutputFormatNeedsAFile: without one the command would ignore the format.
func TestOutputFormatNeedsAFile(t *testing.T) {
	_, err := command(t, "", "run", "-f", writeManifest(t, copying), "--output-format", "json")
	if err == nil || !strings.Contains(err.Error(), "--output-format needs --output-file or --dead-letter-file") {
		t.Errorf("error %v", err)
	}
}

// usedPort returns a port that is in use for as long as the test runs.
func usedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
