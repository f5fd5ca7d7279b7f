# make help lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The race detector needs a C compiler.
RACE := $(shell test "$$(go env CGO_ENABLED)" = 1 && command -v "$$(go env CC)" >/dev/null && echo -race)
# Of each fuzz target.
FUZZ_TIME ?= 10s
# Of the random schedules and of each exhaustive search.
MODEL_TIME ?= 5m
# The schedule to repeat; 0 is all.
MODEL_SEED ?= 0
DEMO_DIR := bin/demo
SDK_TYPESCRIPT := worker/sdks/typescript/node_modules/.package-lock.json

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run a sample StreamProcessor on a web access log, with an embedded broker
	@mkdir -p $(DEMO_DIR)
	go build -o bin/ ./cmd/millrace
	bin/millrace run -f config/samples/access-log-alerts.yaml \
	  --input-file config/samples/data/access.jsonl.zst --output-file $(DEMO_DIR)/alerts.jsonl \
	  --until-drained --summary $(DEMO_DIR)/summary.json
	@echo "The alerts are in $(DEMO_DIR)/alerts.jsonl, the figures in $(DEMO_DIR)/summary.json."

.PHONY: tutorial
tutorial: ## Run the commands of docs/tutorial.md that need no cluster, and compare their output
	@rm -rf bin/tutorial
	go run ./hack/pages docs/tutorial.md

.PHONY: docs
docs: bin/mkdocs/.installed ## Build the documents as a site, bin/site/index.html
	NO_MKDOCS_2_WARNING=1 bin/mkdocs/bin/mkdocs build --quiet --config-file hack/site/mkdocs.yml

bin/mkdocs/.installed: hack/site/requirements.txt
	@rm -rf bin/mkdocs
	python3 -m venv bin/mkdocs
	bin/mkdocs/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: build
build: ## Build the programs into bin/
	go build -o bin/ ./cmd/...

.PHONY: test
test: ## Run all tests, those on Apache Kafka too where Java and Maven are installed
	@command -v java >/dev/null && hack/kafka.sh fetch >/dev/null \
	  || hack/missing.sh "the tests on Apache Kafka are skipped: they need Java 17 and, for the first fetch, Maven"
	@hack/cluster/binaries.sh apiserver >/dev/null \
	  || hack/missing.sh "the tests on a Kubernetes API server are skipped: it could be neither downloaded nor built"
	@$(MAKE) --no-print-directory -s bin/helm || hack/missing.sh "the tests of the chart are skipped: Helm could not be built"
	@$(MAKE) --no-print-directory -s bin/promtool || hack/missing.sh "the test of the alerts is skipped: promtool could not be built"
	@$(MAKE) --no-print-directory -s bin/mkdocs/.installed || hack/missing.sh "the test of the documents' site is skipped: MkDocs could not be installed"
	@$(MAKE) --no-print-directory -s bin/sdk-python/.installed || hack/missing.sh "the tests of the Python SDK are skipped: they need Python 3.10 with venv, and packages that could not be installed"
	@hack/registry.sh fetch >/dev/null && $(MAKE) --no-print-directory -s bin/registry-python/.installed \
	  || hack/missing.sh "the tests on a schema registry are skipped: they need Maven for the first fetch, and Python 3.10 with venv"
	@$(MAKE) --no-print-directory -s bin/sdk-rust/.fetched || hack/missing.sh "the tests of the Rust SDK are skipped: they need Rust 1.85 and crates that could not be fetched"
	@$(MAKE) --no-print-directory -s $(SDK_TYPESCRIPT) || hack/missing.sh "the tests of the TypeScript SDK are skipped: they need Node 18 with npm, and packages that could not be installed"
	@$(MAKE) --no-print-directory -s bin/sdk-java/.fetched || hack/missing.sh "the tests of the Java SDK are skipped: they need Java 17, Maven, and packages that could not be fetched"
	@[[ -n "$(RACE)" ]] || hack/missing.sh "the race detector is off: it needs a C compiler"
	hack/test.sh $(RACE)

.PHONY: test-sdk-python
test-sdk-python: bin/sdk-python/.installed ## Check the Python SDK and run its tests
	hack/sdks/python.sh

# The second file is that of an example. The packages are kept, so that the documents' commands
# can install them again without asking for them.
bin/sdk-python/.installed: worker/sdks/python/requirements-dev.txt worker/sdks/python/examples/language/requirements.txt
	@rm -rf bin/sdk-python
	python3 -m venv bin/sdk-python
	bin/sdk-python/bin/pip download --quiet --disable-pip-version-check --require-hashes \
	  --dest bin/sdk-python/wheels $(^:%=--requirement %)
	bin/sdk-python/bin/pip install --quiet --disable-pip-version-check --require-hashes \
	  --no-index --find-links bin/sdk-python/wheels $(^:%=--requirement %)
	@touch $@

# The serializers of Confluent, and a Java that runs the schema registry.
bin/registry-python/.installed: hack/registry/requirements.txt
	@rm -rf bin/registry-python
	python3 -m venv bin/registry-python
	bin/registry-python/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

.PHONY: test-sdk-rust
test-sdk-rust: bin/sdk-rust/.fetched ## Check the Rust SDK and run its tests
	hack/sdks/rust.sh

bin/sdk-rust/.fetched: worker/sdks/rust/Cargo.lock
	cargo fetch --quiet --locked --manifest-path worker/sdks/rust/Cargo.toml
	@mkdir -p bin/sdk-rust && touch $@

.PHONY: test-sdk-typescript
test-sdk-typescript: $(SDK_TYPESCRIPT) ## Check the TypeScript SDK and run its tests
	hack/sdks/typescript.sh

# npm writes this file when all packages are there. They have to stand beside the code.
$(SDK_TYPESCRIPT): worker/sdks/typescript/package-lock.json
	npm --prefix worker/sdks/typescript ci --no-audit --no-fund --loglevel error
	@touch $@

.PHONY: test-sdk-java
test-sdk-java: bin/sdk-java/.fetched ## Check the Java SDK and run its tests
	hack/sdks/java.sh

bin/sdk-java/.fetched: worker/sdks/java/pom.xml
	hack/sdks/java.sh fetch
	@touch $@

.PHONY: test-oldest
test-oldest: ## Run the operator's tests on the API server of the oldest supported Kubernetes (builds it first: 10 minutes)
	assets=$$(hack/cluster/binaries.sh oldest) && KUBEBUILDER_ASSETS=$$assets go test -timeout 30m ./controllers/... ./config/... ./api/...

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_TIME (10s)
	hack/fuzz.sh $(FUZZ_TIME)

.PHONY: mutations
mutations: ## Break each invariant of DESIGN.md, one line at a time, and see its test fail (30 minutes)
	go run ./hack/mutations

.PHONY: model
model: ## Run random schedules of the model and search small scopes for MODEL_TIME (5m) each, or repeat schedule MODEL_SEED
	go test -count=1 -timeout 0 -v $(if $(MODEL_SEED:0=),-run 'TestWorkers|TestRandomSchedules') \
	  ./worker/internal/model ./worker/internal/model/protocol -for $(MODEL_TIME) -seed $(MODEL_SEED)

.PHONY: bench
bench: ## Compare this worker with a kafka-go and a franz-go loop
	go run ./worker/bench

.PHONY: bench-processors
bench-processors: ## Compare processors in all languages, and pynumaflow, without a broker
	@go run ./worker/bench/processors

bin/pynumaflow/.installed: worker/bench/processors/numaflow/requirements.txt
	@rm -rf bin/pynumaflow
	python3 -m venv bin/pynumaflow
	bin/pynumaflow/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

# It takes less time than to find out what has changed.
.PHONY: worker/sdks/typescript/dist/index.js
worker/sdks/typescript/dist/index.js: $(SDK_TYPESCRIPT)
	npm --prefix worker/sdks/typescript run --silent build

# Maven knows what has changed.
.PHONY: bin/bench-java/Echo.class
bin/bench-java/Echo.class: bin/sdk-java/.fetched
	mvn --batch-mode --quiet --file worker/sdks/java/pom.xml package -DskipTests
	javac -cp 'worker/sdks/java/target/classes:worker/sdks/java/target/lib/*' -d $(@D) worker/bench/processors/java/Echo.java

# Cargo knows what has changed.
.PHONY: bin/sdk-rust/release/examples/echo
bin/sdk-rust/release/examples/echo:
	CARGO_TARGET_DIR=$(CURDIR)/bin/sdk-rust cargo build --quiet --release --locked --manifest-path worker/sdks/rust/Cargo.toml --example echo

# Such as DURATION=30m SEED=7 DELIVERY=ExactlyOnce SUBJECT=franz-go. Without a seed there is a new one.
DURATION ?= 3m
DELIVERY ?= AtLeastOnce
SUBJECT ?= millrace
CHAOS_DIR ?= bin/chaos
# How many times its bound a stall may take: more on a machine that others share.
LENIENCY ?= 1

.PHONY: chaos
chaos: ## Disturb three brokers and the workers by a seeded schedule, and check that nothing is lost (needs Java)
	@hack/kafka.sh fetch >/dev/null
	@rm -rf $(CHAOS_DIR)/$(SUBJECT)-$(DELIVERY)
	go run ./hack/chaos $(if $(SEED),-seed $(SEED)) -duration $(DURATION) -delivery $(DELIVERY) -subject $(SUBJECT) -leniency $(LENIENCY) \
	  -dir $(CHAOS_DIR)/$(SUBJECT)-$(DELIVERY) -found hack/chaos/found.md $(if $(REPORT),-report $(REPORT))

.PHONY: scaling-report
scaling-report: ## Draw how autoscaling follows many kinds of load, as an HTML page
	go run ./hack/scaling-report -o bin/scaling-report.html

.PHONY: dashboards
dashboards: bin/prometheus build ## Draw the Grafana dashboards into docs/images, with real metrics
	KUBEBUILDER_ASSETS="$$(hack/cluster/binaries.sh apiserver)" go run ./hack/dashboards

.PHONY: generate
generate: ## Regenerate the generated files
	go generate ./...

.PHONY: tidy
tidy: ## Tidy the modules' files
	go mod tidy
	go -C hack/tools mod tidy
	go -C hack/tools/actionlint mod tidy
	for module in coredns etcd helm kubernetes oldest promtool; do go -C hack/cluster/$$module mod tidy; done

.PHONY: format
format: bin/.tools ## Format the code
	bin/golangci-lint fmt

.PHONY: lint
lint: bin/.tools ## Check the code and its format
	bin/golangci-lint run --allow-parallel-runners
	@for script in hack/*.sh hack/*/*.sh .ci/run; do bash -n "$$script"; done
	bin/actionlint

.PHONY: verify
verify: bin/.tools ## Check that generated files, modules and format are up to date, lint, and check the prose
	hack/verify.sh

.PHONY: tools
tools: bin/.tools ## Build the pinned tools into bin/

bin/.tools: hack/tools/go.mod hack/tools/go.sum hack/tools/actionlint/go.mod hack/tools/actionlint/go.sum
	@mkdir -p bin
	go -C hack/tools build -o $(CURDIR)/bin/ tool
	go -C hack/tools/actionlint build -o $(CURDIR)/bin/ tool
	@touch $@

# The version is the chart's. Another registry: make images deploy REGISTRY=registry.example/team
VERSION := $(shell sed -n 's/^appVersion: "\(.*\)"$$/\1/p' config/chart/Chart.yaml)
REGISTRY ?= ghcr.io/millrace-dev
# Such as linux/amd64,linux/arm64; empty for this machine's.
PLATFORMS ?=
KUBECTL ?= kubectl

.PHONY: images
images: ## Build the images into bin/images/, as OCI archives
	go run ./hack/images --version "$(VERSION)" --registry "$(REGISTRY)" $(if $(PLATFORMS),--platforms "$(PLATFORMS)")

.PHONY: version
version: ## Print the version
	@echo $(VERSION)

.PHONY: release
release: images chart ## Build the files of a release into dist/ and bin/images/
	hack/release.sh $(VERSION)

.PHONY: chart
chart: bin/helm ## Check the Helm chart and pack it into dist/
	bin/helm lint --strict config/chart
	bin/helm package config/chart --destination dist

bin/helm: hack/cluster/helm/go.mod hack/cluster/helm/go.sum
	go -C hack/cluster/helm build -trimpath -ldflags "-s -w" -o $(CURDIR)/$@ helm.sh/helm/v4/cmd/helm

# Without the discovery of clouds' machines, which takes most of the time to build.
bin/promtool bin/prometheus: hack/cluster/promtool/go.mod hack/cluster/promtool/go.sum
	go -C hack/cluster/promtool build -trimpath -tags remove_all_sd -ldflags "-s -w" -o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/$(@F)

.PHONY: install
install: ## Install the CRD into the cluster that kubectl talks to
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: deploy
deploy: ## Install the CRD and the operator into that cluster
	$(KUBECTL) kustomize config/default | sed "s|ghcr.io/millrace-dev/|$(REGISTRY)/|" | $(KUBECTL) apply --server-side -f -
	$(KUBECTL) -n millrace-system rollout status deployment/millrace-operator --timeout 2m

.PHONY: undeploy
undeploy: ## Remove the operator; StreamProcessors and their CRD stay
	$(KUBECTL) delete --ignore-not-found -k config/manager
	$(KUBECTL) delete --ignore-not-found -k config/rbac
	$(KUBECTL) delete --ignore-not-found -f config/default/namespace.yaml

.PHONY: clean
clean: ## Remove built and downloaded files
	rm -rf bin dist worker/sdks/typescript/{node_modules,dist,build}

.PHONY: cluster-binaries
cluster-binaries: ## Build the programs of a test cluster into bin/kubebuilder/
	hack/cluster/binaries.sh node

.PHONY: e2e
e2e: ## Run the end-to-end test on its own Kubernetes node and Apache Kafka
	hack/e2e/run.sh
