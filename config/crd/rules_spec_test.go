package crd

import "strings"

// rule lists changes of a valid manifest that a rule of the CRD allows, and changes that it
// refuses.
type rule struct {
	field  string // that the refusal names
	says   string // the beginning of the refusal's message
	accept []string
	refuse []string
}

// specRules are the rules of the spec except those of its template.
var specRules = []rule{
	{
		"<nil>", "metadata.name must have at most 56 characters",
		[]string{"metadata: {name: a}", "metadata: {name: a-1}", "metadata: {name: " + strings.Repeat("a", 56) + "}"},
		[]string{"metadata: {name: 1a}", "metadata: {name: a.b}", "metadata: {name: " + strings.Repeat("a", 57) + "}"},
	},
	{
		"spec.output.topic", "output.topic is the input topic",
		[]string{
			spec("input: {topic: a}, output: {topic: A}"),
			spec("input: {topic: a}, output: {topic: a, " + elsewhere + "}"),
		},
		[]string{
			spec("input: {topic: a}, output: {topic: a}"),
			spec("input: {topic: a}, output: {topic: a, kafka: {bootstrapServers: ['b:1', 'kafka:9092']}}"),
		},
	},
	{
		"spec.failure.deadLetter.topic", "failure.deadLetter.topic is the input topic",
		[]string{spec("failure: {deadLetter: {topic: dead}}")},
		[]string{spec("failure: {deadLetter: {topic: in}}"), spec("failure: {deadLetter: {topic: in}}, output: {" + elsewhere + "}")},
	},
	{
		"spec.failure.deadLetter.topic", "failure.deadLetter.topic is the output topic",
		[]string{
			spec("failure: {deadLetter: {topic: dead}}"),
			spec("failure: {deadLetter: {topic: out}}, output: {" + elsewhere + "}"),
			spec("failure: {deadLetter: {topic: out}}, output: null, " + program),
		},
		[]string{
			spec("failure: {deadLetter: {topic: out}}"),
			spec("failure: {deadLetter: {topic: out}}, output: {kafka: {bootstrapServers: ['kafka:9092']}}"),
		},
	},
	{
		"spec.output.topic", "processor.cel writes a result for each record",
		[]string{
			spec("output: null, processor: {cel: {topic: key}}"),
			spec("output: {topic: null, " + elsewhere + "}, processor: {cel: {topic: key}}"),
			spec("output: null, " + program),
			spec("output: {topic: null}, " + program),
		},
		[]string{spec("output: null"), spec("output: {topic: null, compression: zstd}")},
	},
	{
		"spec.output.create", "output.create needs output.topic",
		[]string{spec("output: {create: {partitions: 1}}")},
		[]string{spec("output: {topic: null, create: {partitions: 1}}, " + program)},
	},
	{
		"spec.input.topic", topicName,
		[]string{spec("input: {topic: a.b_c-D1}"), spec("input: {topic: ...}")},
		[]string{spec("input: {topic: a b}"), spec("input: {topic: .}"), spec("input: {topic: ..}"), spec("input: {topic: fäuste}")},
	},
	{
		"spec.output.topic", topicName,
		[]string{spec("output: {topic: a.b_c-D1}")},
		[]string{spec("output: {topic: a/b}"), spec("output: {topic: .}")},
	},
	{
		"spec.failure.deadLetter.topic", topicName,
		[]string{spec("failure: {deadLetter: {topic: a.b_c-D1}}")},
		[]string{spec("failure: {deadLetter: {topic: 'a:b'}}"), spec("failure: {deadLetter: {topic: ..}}")},
	},
	{
		"spec.input.groupId", "must be a group's name",
		[]string{spec("input: {groupId: ομάδα 1}"), spec("input: {groupId: " + strings.Repeat("ä", 127) + "}")},
		[]string{spec(`input: {groupId: "a\nb"}`), spec("input: {groupId: .}"), spec("input: {groupId: ..}"), spec("input: {groupId: " + strings.Repeat("ä", 128) + "}")},
	},
	{
		"spec.kafka.bootstrapServers[0]", "must be host:port",
		[]string{servers("a:1"), servers("kafka.example:65535"), servers("[::1]:9092"), servers("10.0.0.1:9092")},
		[]string{servers("kafka"), servers("kafka:0"), servers("kafka:65536"), servers("a:1,b:2"), servers("tcp://a:1"), servers("a:1:2"), servers(":9092"), servers("a b:1"), servers("a:")},
	},
	{
		"spec.processor", "processor must have exactly one of its fields",
		[]string{spec("processor: {cel: {}}"), spec("processor: {cel: null, container: {image: a}}"), sidecar("image: a")},
		[]string{
			spec("processor: {cel: null}"), spec("processor: {cel: {}, container: {image: a}}"), spec("processor: {cel: {}, sidecar: {image: a}}"),
			spec("processor: {cel: null, container: {image: a}, sidecar: {image: a}}"), spec("processor: {cel: {}, container: {image: a}, sidecar: {image: a}}"),
		},
	},
	{
		"spec.processor.sidecar.image", "must be a container image",
		[]string{sidecar("image: 'a/b:1'"), sidecar("image: 'a@sha256:" + digest + "'")},
		[]string{sidecar("image: a b"), sidecar("image: 'https://a/b'")},
	},
	{
		"spec.processor.sidecar.command", "an adapter starts the program itself",
		[]string{sidecar("image: a, command: [jq]"), sidecar("image: a, adapter: lines, command: [jq]")},
		[]string{sidecar("image: a, adapter: lines"), sidecar("image: a, adapter: lines, command: [], args: [jq]")},
	},
	{
		"spec.processor.sidecar.env", "variables that begin with MILLRACE_ are the operator's own",
		[]string{sidecar("image: a, env: [{name: A, value: b}, {name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: NO_MILLRACE_}]")},
		[]string{sidecar("image: a, env: [{name: MILLRACE_SOCKET, value: a}]"), sidecar("image: a, env: [{name: A}, {name: MILLRACE_}]")},
	},
	{
		"spec.processor.sidecar.ports", "port 8080 and the name metrics are the worker's",
		[]string{sidecar("image: a, ports: [{containerPort: 9090}, {containerPort: 808, name: own-metrics}]"), sidecar("image: a, ports: []")},
		[]string{
			sidecar("image: a, ports: [{containerPort: 8080}]"), sidecar("image: a, ports: [{containerPort: 8080, protocol: UDP}]"),
			sidecar("image: a, ports: [{containerPort: 9090}, {containerPort: 9091, name: metrics}]"),
		},
	},
	{
		"spec.processor.sidecar.ports", "containerPort must be from 1 to 65535",
		[]string{sidecar("image: a, ports: [{containerPort: 1}, {containerPort: 65535}]")},
		[]string{sidecar("image: a, ports: [{containerPort: 0}]"), sidecar("image: a, ports: [{containerPort: 65536}]")},
	},
	{
		"spec.processor.sidecar.ports", "a port's name must have lower-case letters",
		[]string{sidecar("image: a, ports: [{containerPort: 1, name: a-1b-c}, {containerPort: 2, name: aaaaaaaaaaaaaa9}]")},
		[]string{
			sidecar("image: a, ports: [{containerPort: 1, name: A}]"), sidecar("image: a, ports: [{containerPort: 1, name: '12'}]"),
			sidecar("image: a, ports: [{containerPort: 1, name: a--b}]"), sidecar("image: a, ports: [{containerPort: 1, name: a-}]"),
		},
	},
	{
		"spec.processor.sidecar.ports", "two ports have the same name",
		[]string{sidecar("image: a, ports: [{containerPort: 53, name: dns}, {containerPort: 53, protocol: UDP, name: dns-udp}, {containerPort: 80}, {containerPort: 81}]")},
		[]string{sidecar("image: a, ports: [{containerPort: 53, name: dns}, {containerPort: 53, protocol: UDP, name: dns}]")},
	},
	{
		"spec.processor.sidecar.batch.maxBytes", "must be a whole number of bytes from 1Ki to 1Gi",
		[]string{batch("maxBytes: 1Ki"), batch("maxBytes: 1Gi"), batch("maxBytes: 4M"), batch("maxBytes: 4096")},
		[]string{batch("maxBytes: 1023"), batch("maxBytes: 2Gi"), batch("maxBytes: 0"), batch("maxBytes: -1Mi")},
	},
	{
		"spec.processor.sidecar.batch.linger", "must be a duration from 1ms to 10s",
		[]string{batch("linger: 1ms"), batch("linger: 10s"), batch("linger: 1s500ms")},
		[]string{batch("linger: 0s"), batch("linger: 11s"), batch("linger: 999us"), batch("linger: soon")},
	},
	{
		"spec.autoscaling.vertical", "autoscaling.vertical gives CPU to the worker's container",
		[]string{spec("processor: {cel: null, sidecar: {image: a}}, autoscaling: {maxReplicas: 3}")},
		[]string{spec("processor: {cel: null, sidecar: {image: a}}, autoscaling: {maxReplicas: 3, vertical: {maxCPU: 4}}")},
	},
	{
		"spec.processor.cel.values", "value and values are both set",
		[]string{spec("processor: {cel: {values: '[1]'}}"), spec("processor: {cel: {value: '1'}}")},
		[]string{spec("processor: {cel: {value: '1', values: '[1]'}}")},
	},
	{
		"spec.processor.cel.headers", "each header needs an expression",
		[]string{headers(`a: '"b"', c: key`)},
		[]string{headers(`a: '"b"', c: ''`)},
	},
	{
		"spec.processor.cel.headers", "the headers' names and expressions",
		[]string{headers("a: " + strings.Repeat("1", 1<<18-1))},
		[]string{headers("a: " + strings.Repeat("1", 1<<17) + ", b: " + strings.Repeat("1", 1<<17))},
	},
	{
		"spec.processor.container.image", "must be a container image",
		[]string{image("a"), image("registry:5000/a/b:1"), image("a/b@sha256:" + digest), image("Registry.example/a_b/c-d:V1.0_a@sha256:" + digest), image("a@sha512:" + digest + digest)},
		[]string{image("a b"), image("/a"), image(":1"), image("a:"), image("a@"), image("a@sha256:0123"), image("a@" + digest), image("A/b/C"), image("https://a/b")},
	},
	{
		"spec.processor.cel.image", "must be a container image",
		[]string{celImage("a/worker:1"), celImage("a/worker@sha256:" + digest), celImage("a/worker:1@sha256:" + digest)},
		[]string{celImage("a worker"), celImage("a/worker@sha256:" + digest[1:])},
	},
	{
		"spec.transaction", "transaction is for delivery ExactlyOnce",
		[]string{spec("delivery: AtLeastOnce"), spec("delivery: ExactlyOnce"), exactlyOnce("")},
		[]string{spec("transaction: {}"), spec("transaction: {timeout: 5s}"), spec("delivery: AtLeastOnce, transaction: {interval: 1s}")},
	},
	{
		"spec.output.kafka", "with delivery ExactlyOnce results and offsets are written in one transaction",
		[]string{spec("output: {" + elsewhere + "}"), spec("delivery: ExactlyOnce, output: null, " + program)},
		[]string{spec("delivery: ExactlyOnce, output: {" + elsewhere + "}")},
	},
	{
		"spec.transaction.timeout", "transaction.timeout is above drainTimeout",
		[]string{exactlyOnce("timeout: 20s"), spec("delivery: ExactlyOnce, drainTimeout: 2s"), spec("delivery: ExactlyOnce, transaction: {timeout: 1s}, drainTimeout: 1s")},
		[]string{exactlyOnce("timeout: 21s"), spec("delivery: ExactlyOnce, transaction: {timeout: 1001ms}, drainTimeout: 1s")},
	},
	{
		"spec.transaction.timeout", "must be a duration from 1s to 1h, such as 10s or 1m30s",
		[]string{exactlyOnce("timeout: 1s"), spec("delivery: ExactlyOnce, transaction: {timeout: 1h}, drainTimeout: 1h")},
		[]string{exactlyOnce("timeout: 999ms"), exactlyOnce("timeout: 61m"), exactlyOnce("timeout: soon")},
	},
	{
		"spec.transaction.interval", "must be a duration from 10ms to 1h, such as 100ms or 1s",
		[]string{exactlyOnce("interval: 10ms"), spec("delivery: ExactlyOnce, transaction: {interval: 59m, timeout: 1h}, drainTimeout: 1h")},
		[]string{exactlyOnce("interval: 9ms"), exactlyOnce("interval: 61m"), exactlyOnce("interval: '100'")},
	},
	{
		"spec.transaction.interval", "transaction.interval must be below transaction.timeout",
		[]string{exactlyOnce("interval: 999ms, timeout: 1s"), exactlyOnce("interval: 9s")},
		[]string{exactlyOnce("interval: 1s, timeout: 1s"), exactlyOnce("timeout: 2s, interval: 3s"), exactlyOnce("interval: 10s")},
	},
	{
		"spec.inFlight.bytes", "must be a whole number of bytes from 1Mi to 1Ti",
		[]string{inFlight("1Mi"), inFlight("1048576"), inFlight("'1048576'"), inFlight("1Ti"), inFlight("1.5Gi"), inFlight("'2e6'"), inFlight("1.049M"), inFlight("1.875Mi")},
		[]string{inFlight("1023Ki"), inFlight("0"), inFlight("-1Gi"), inFlight("1025Gi"), inFlight("'1e-2147483647'"), inFlight("'1e2147483647'"), inFlight("1048576000m"), inFlight("1.3Gi"), inFlight("'1048576.5'")},
	},
	{
		"spec.output.deliveryTimeout", "must be a duration from 1s to 24h, such as 30s",
		[]string{spec("output: {topic: out, deliveryTimeout: 1s}"), spec("output: {topic: out, deliveryTimeout: 24h}")},
		[]string{spec("output: {topic: out, deliveryTimeout: 999ms}"), spec("output: {topic: out, deliveryTimeout: 25h}"), spec("output: {topic: out, deliveryTimeout: never}")},
	},
	{
		"spec.failure.deadLetter", "failure.onExhausted is DeadLetter",
		[]string{spec("failure: {onExhausted: DeadLetter, deadLetter: {topic: d}}"), spec("failure: {onExhausted: Drop}"), spec("failure: {onExhausted: Halt}")},
		[]string{spec("failure: {onExhausted: DeadLetter}")},
	},
	{
		"spec.failure.timeout", "must be a duration from 1ms to 8760h, such as 500ms",
		[]string{spec("failure: {timeout: 1ms}"), spec("failure: {timeout: 8760h}"), spec("failure: {timeout: 1h2m3.5s}")},
		[]string{spec("failure: {timeout: 0.5ms}"), spec("failure: {timeout: 8760h1ms}"), spec("failure: {timeout: soon}"), spec("failure: {timeout: '10'}"), spec("failure: {timeout: -1s}"), spec("failure: {timeout: ''}")},
	},
	{
		"spec.failure.stallTimeout", "must be a duration from 1s to 17520h, such as 2m",
		[]string{spec("failure: {stallTimeout: 1s}"), spec("failure: {stallTimeout: 17520h}")},
		[]string{spec("failure: {stallTimeout: 999ms}"), spec("failure: {stallTimeout: 17521h}"), spec("failure: {stallTimeout: 2 m}")},
	},
	{
		"spec.failure.backoff.initial", "must be a duration from 1ms to 1h, such as 500ms",
		[]string{spec("failure: {backoff: {initial: 1ms}}"), spec("failure: {backoff: {initial: 1h, max: 1h}}")},
		[]string{spec("failure: {backoff: {initial: 0s}}"), spec("failure: {backoff: {initial: 61m, max: 2h}}"), spec("failure: {backoff: {initial: 1 s}}")},
	},
	{
		"spec.failure.backoff.max", "must be a duration from 1ms to 24h, such as 500ms",
		[]string{spec("failure: {backoff: {initial: 1ms, max: 1ms}}"), spec("failure: {backoff: {max: 24h}}")},
		[]string{spec("failure: {backoff: {max: 25h}}"), spec("failure: {backoff: {max: 1d}}")},
	},
	{
		"spec.failure.backoff.max", "failure.backoff.max must not be below failure.backoff.initial",
		[]string{spec("failure: {backoff: {initial: 1s, max: 1000ms}}")},
		[]string{spec("failure: {backoff: {initial: 1s, max: 999ms}}"), spec("failure: {backoff: {initial: 31s}}")},
	},
	{
		"spec.autoscaling.minReplicas", "autoscaling.minReplicas is above autoscaling.maxReplicas",
		[]string{spec("autoscaling: {minReplicas: 3, maxReplicas: 3}"), spec("autoscaling: {maxReplicas: 1}")},
		[]string{spec("autoscaling: {minReplicas: 4, maxReplicas: 3}")},
	},
	{
		"spec.autoscaling.targetLag", "must be a duration from 1s to 24h, such as 30s or 1m30s",
		[]string{autoscaling("targetLag: 1s"), autoscaling("targetLag: 24h")},
		[]string{autoscaling("targetLag: 999ms"), autoscaling("targetLag: 24h1s"), autoscaling("targetLag: 30 s")},
	},
	{
		"spec.autoscaling.behavior.scaleUp.stabilizationWindow", stabilizationWindow,
		[]string{autoscaling("behavior: {scaleUp: {stabilizationWindow: 1s}}"), autoscaling("behavior: {scaleUp: {stabilizationWindow: 10m}}"), autoscaling("behavior: {scaleUp: {}}")},
		[]string{autoscaling("behavior: {scaleUp: {stabilizationWindow: 0s}}"), autoscaling("behavior: {scaleUp: {stabilizationWindow: 11m}}"), autoscaling("behavior: {scaleUp: {stabilizationWindow: '15'}}")},
	},
	{
		"spec.autoscaling.behavior.scaleDown.stabilizationWindow", stabilizationWindow,
		[]string{autoscaling("behavior: {scaleDown: {stabilizationWindow: 1s}}"), autoscaling("behavior: {scaleDown: {stabilizationWindow: 10m}}")},
		[]string{autoscaling("behavior: {scaleDown: {stabilizationWindow: 999ms}}"), autoscaling("behavior: {scaleDown: {stabilizationWindow: 601s}}")},
	},
	{
		"spec.autoscaling.behavior.cooldown", "must be a duration from 0s to 1h, such as 2m",
		[]string{autoscaling("behavior: {cooldown: 0s}"), autoscaling("behavior: {cooldown: 1h}"), autoscaling("behavior: {}")},
		[]string{autoscaling("behavior: {cooldown: 61m}"), autoscaling("behavior: {cooldown: -1s}"), autoscaling("behavior: {cooldown: soon}")},
	},
	{
		"spec.autoscaling.vertical.maxCPU", amountOfCPU,
		[]string{autoscaling("vertical: {maxCPU: 4}"), autoscaling("vertical: {maxCPU: '1.5'}"), autoscaling("vertical: {maxCPU: 10m}"), autoscaling("vertical: {maxCPU: 1024}")},
		[]string{autoscaling("vertical: {maxCPU: 9m}"), autoscaling("vertical: {maxCPU: 1025}"), autoscaling("vertical: {maxCPU: 1k}"), autoscaling("vertical: {maxCPU: -1}"), autoscaling("vertical: {maxCPU: '1e-999'}")},
	},
	{
		"spec.autoscaling.vertical.step", amountOfCPU,
		[]string{autoscaling("vertical: {maxCPU: 4, step: 100m}"), autoscaling("vertical: {maxCPU: 4, step: null}")},
		[]string{autoscaling("vertical: {maxCPU: 4, step: 0}"), autoscaling("vertical: {maxCPU: 4, step: 5m}"), autoscaling("vertical: {maxCPU: 4, step: 2k}")},
	},
	{
		"spec.drainTimeout", "must be a duration from 1s to 1h",
		[]string{spec("drainTimeout: 1s"), spec("drainTimeout: 1h"), spec("drainTimeout: 1m30s")},
		[]string{spec("drainTimeout: 999ms"), spec("drainTimeout: 1h1s"), spec("drainTimeout: '20'")},
	},
}

const (
	topicName = "must be a name that Kafka allows"

	stabilizationWindow = "must be a duration from 1s to 10m, such as 30s or 5m"
	amountOfCPU         = "must be an amount of CPU from 10m to 1024"
)

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// elsewhere is another cluster for the output, and program a processor that needs no output.
const (
	elsewhere = "kafka: {bootstrapServers: ['elsewhere:9092']}"
	program   = "processor: {cel: null, container: {image: a}}"
)

func spec(fields string) string     { return "spec: {" + fields + "}" }
func servers(address string) string { return spec("kafka: {bootstrapServers: ['" + address + "']}") }
func headers(fields string) string  { return spec("processor: {cel: {headers: {" + fields + "}}}") }
func celImage(name string) string   { return spec("processor: {cel: {image: '" + name + "'}}") }
func image(name string) string {
	return spec("processor: {cel: null, container: {image: '" + name + "'}}")
}

func sidecar(fields string) string { return spec("processor: {cel: null, sidecar: {" + fields + "}}") }
func batch(fields string) string   { return sidecar("image: a, batch: {" + fields + "}") }

func exactlyOnce(transaction string) string {
	return spec("delivery: ExactlyOnce, transaction: {" + transaction + "}")
}
func inFlight(size string) string { return spec("inFlight: {bytes: " + size + "}") }

func autoscaling(fields string) string {
	return spec("autoscaling: {maxReplicas: 3, " + fields + "}")
}
