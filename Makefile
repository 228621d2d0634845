# make help lists what there is. CI calls `make test` and `make integration`.

GO        ?= go
FUZZTIME  ?= 30s
BIN       := bin/parley
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
LINT      := $(GO) tool -modfile=tools/go.mod golangci-lint
BENCHSTAT := $(GO) tool -modfile=tools/go.mod benchstat

.DEFAULT_GOAL := help
.PHONY: clients help run build test test-libopus lint fmt bench benchdiff fuzz integration check cover

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/parley, static; TAGS=libopus: with the system's libopus
	CGO_ENABLED=$(if $(filter libopus,$(TAGS)),1,0) $(GO) build -tags '$(TAGS)' -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/parley

run: build ## start Parley on its built-in defaults (or ./parley.yaml)
	$(BIN) serve

test: ## unit and component tests with the race detector, then long simulations without it
	$(GO) vet ./...
	$(GO) test -race -short -shuffle=on -timeout 5m ./...
	$(GO) test -shuffle=on -timeout 5m ./codec ./engine/native ./esl/eventsocket

test-libopus: ## what Opus has to do with, by libopus (needs libopus-dev and pkg-config)
	$(GO) vet -tags libopus ./codec
	$(GO) test -tags libopus -shuffle=on -timeout 5m ./codec ./engine/native

integration: ## tests against real FreeSWITCH and Asterisk in containers (needs Docker)
	cd integration && $(GO) vet -tags integration ./... && $(GO) test -tags integration -count=1 -v -parallel 4 -timeout 25m ./...

clients: ## npm's clients of FreeSWITCH and Asterisk, for make integration
	cd integration/clients && npm install --no-audit --no-fund --no-package-lock

lint: ## golangci-lint, and go.mod must be tidy
	$(LINT) config verify
	$(LINT) run ./...
	$(GO) mod tidy -diff

fmt: ## gofumpt and import order
	$(LINT) fmt ./...

fuzz: ## each fuzz target for FUZZTIME (30s)
	@set -e; for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; \
	  done; done

bench: ## benchmarks of the audio path, into bench/new.txt
	$(GO) test -run '^$$' -bench . -benchmem -count=10 ./mixer ./codec ./rtp ./engine/native ./internal/tick | tee bench/new.txt

benchdiff: ## compare bench/old.txt with bench/new.txt
	$(BENCHSTAT) bench/old.txt bench/new.txt

cover: ## coverage per package
	$(GO) test -cover ./...

check: fmt lint test ## what to run before a commit
