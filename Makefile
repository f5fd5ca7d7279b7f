# What there is to do in this repository: make help.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The race detector needs a C compiler.
RACE := $(shell test "$$(go env CGO_ENABLED)" = 1 && command -v "$$(go env CC)" >/dev/null && echo -race)
# Of each fuzz target.
FUZZ_TIME ?= 10s
DEMO_DIR := bin/demo

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run a sample StreamProcessor on a web access log, with an embedded broker
	@mkdir -p $(DEMO_DIR)
	go run ./cmd/millrace run -f config/samples/access-log-alerts.yaml \
	  --input-file config/samples/data/access.jsonl.zst --output-file $(DEMO_DIR)/alerts.jsonl \
	  --until-drained --summary $(DEMO_DIR)/summary.json
	@echo "The alerts are in $(DEMO_DIR)/alerts.jsonl, the figures in $(DEMO_DIR)/summary.json."

.PHONY: build
build: ## Build the programs into bin/
	go build -trimpath -o bin/ ./cmd/...

.PHONY: test
test: ## Run all tests, those on Apache Kafka too where Java and Maven are installed
	@command -v java >/dev/null && hack/kafka.sh fetch >/dev/null \
	  || echo "NOTE: the tests on Apache Kafka are skipped: they need Java 17 and, for the first fetch, Maven"
	@[[ -n "$(RACE)" ]] || echo "NOTE: the race detector is off: it needs a C compiler"
	go test $(RACE) -timeout 20m ./...

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_TIME (10s)
	hack/fuzz.sh $(FUZZ_TIME)

.PHONY: bench
bench: ## Compare this worker with a kafka-go and a franz-go loop
	go run ./worker/bench

.PHONY: generate
generate: ## Regenerate what is generated
	go generate ./...

.PHONY: tidy
tidy: ## Tidy the modules' files
	go mod tidy
	go -C hack/tools mod tidy

.PHONY: format
format: bin/.tools ## Format the code
	bin/golangci-lint fmt

.PHONY: lint
lint: bin/.tools ## Check the code and its format
	bin/golangci-lint run --allow-parallel-runners
	@for script in hack/*.sh .ci/run; do bash -n "$$script"; done

.PHONY: verify
verify: bin/.tools ## Check that generated files, modules and format are up to date, and lint
	hack/verify.sh

.PHONY: tools
tools: bin/.tools ## Build the pinned tools into bin/

bin/.tools: hack/tools/go.mod hack/tools/go.sum
	@mkdir -p bin
	go -C hack/tools build -o $(CURDIR)/bin/ tool
	@touch $@

.PHONY: clean
clean: ## Remove what was built and fetched
	rm -rf bin dist
