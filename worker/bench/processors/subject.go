package main

import "runtime"

// subject is a processor to measure. All of them write back each record's value.
type subject struct {
	Name string
	// Kind says how records get to it.
	Kind kind
	// Tools are the commands that the machine must have.
	Tools []string `json:"-"`
	// Build builds the program, from the repository's root.
	Build []string `json:"-"`
	// Exec starts the program there. Env are variables for it.
	Exec, Env []string
	// Processes is how many connections the program makes, each mostly from a process.
	Processes int
}

// kind is a way to hand records to a subject.
type kind string

const (
	inProcess kind = "in process"
	sidecars  kind = "sidecar"
	numaflow  kind = "numaflow"
)

// The names of subjects that the bounds are about.
const (
	goSidecar   = "Go sidecar"
	goGRPC      = "Go sidecar over gRPC"
	rustSidecar = "Rust"
	pythonOne   = "Python"
	mapServer   = "pynumaflow MapServer"
	mapAsync    = "pynumaflow MapAsyncServer"
)

// subjects lists the subjects in the order of their turns within a round. To add one, give it
// a row.
var subjects = []subject{
	{Name: "Go in the worker", Kind: inProcess, Processes: runtime.GOMAXPROCS(0)},
	{
		Name: goSidecar, Kind: sidecars, Processes: runtime.GOMAXPROCS(0),
		Build: []string{"go", "build", "-o", "bin/bench-echo", "./worker/bench/processors/echo"},
		Exec:  []string{"bin/bench-echo"},
	},
	{
		Name: goGRPC, Kind: sidecars, Processes: runtime.GOMAXPROCS(0),
		Build: []string{"go", "build", "-o", "bin/bench-grpcecho", "./worker/bench/processors/grpcecho"},
		Exec:  []string{"bin/bench-grpcecho"},
	},
	{
		Name: rustSidecar, Kind: sidecars, Processes: runtime.GOMAXPROCS(0),
		Tools: []string{"cargo"},
		Build: []string{"make", "bin/sdk-rust/release/examples/echo"},
		Exec:  []string{"bin/sdk-rust/release/examples/echo"},
	},
	python(pythonOne, 1),
	python("Python, 2 processes", 2),
	{
		Name: "Node", Kind: sidecars, Processes: runtime.GOMAXPROCS(0),
		Tools: []string{"node", "npm"},
		Build: []string{"make", "worker/sdks/typescript/dist/index.js"},
		Exec:  []string{"node", "worker/bench/processors/node/echo.mjs"},
	},
	{
		Name: "Java", Kind: sidecars, Processes: runtime.GOMAXPROCS(0),
		Tools: []string{"java", "javac", "mvn"},
		Build: []string{"make", "bin/bench-java/Echo.class"},
		Exec:  []string{"java", "-cp", "bin/bench-java:worker/sdks/java/target/classes:worker/sdks/java/target/lib/*", "Echo"},
	},
	pynumaflow(mapServer, "sync"),
	pynumaflow(mapAsync, "async"),
}

func python(name string, processes int) subject {
	return subject{
		Name: name, Kind: sidecars, Processes: processes,
		Tools: []string{"python3"},
		Build: []string{"make", "bin/sdk-python/.installed"},
		Exec:  []string{"bin/sdk-python/bin/python", "worker/bench/processors/python/echo.py"},
		Env:   []string{"PYTHONPATH=worker/sdks/python/src", "PYTHONPYCACHEPREFIX=bin/sdk-python/cache/python"},
	}
}

func pynumaflow(name, server string) subject {
	return subject{
		Name: name, Kind: numaflow, Processes: 1,
		Tools: []string{"python3"},
		Build: []string{"make", "bin/pynumaflow/.installed"},
		Exec:  []string{"bin/pynumaflow/bin/python", "worker/bench/processors/numaflow/server.py", server},
	}
}
