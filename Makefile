# make demo and make test need Go (see go.mod) and a module proxy; everything else is
# installed into .bin at exact versions by the targets themselves.
GO     ?= go
BIN    := $(CURDIR)/.bin
GOLANGCI_VERSION := v2.15.0

.PHONY: build demo test test-all test-grammar test-race test-vault vault vault-start plugin test-plugin tidy fuzz lint gen gen-check bench docs clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## build the three programs into bin/
	$(GO) build -trimpath -o bin/ ./cmd/...

demo: build $(if $(VAULT),vault) ## three owners, five keyholders, one gateway, one buyer; VAULT=1: with five Vaults
	$(GO) run ./examples/demo --bin bin $(if $(VAULT),--vault) $(ARGS)

# Some packages take minutes; on a slow machine more than the ten that go test gives one.
test: ## what CI runs first: vet and the whole quick suite
	$(GO) vet ./...
	$(GO) test -timeout 40m ./...

# Whole-system tests are mostly arithmetic, which the detector makes ten times slower;
# these few cover every process and every service.
RACE_SYSTEM := TestREST|TestMinOwners|TestTheSameQuestion
test-race: ## the quick suite under the race detector
	$(GO) test -race -short -timeout 40m $$($(GO) list ./... | grep -v /pkg/carnettest)
	$(GO) test -race -short -timeout 40m -run '$(RACE_SYSTEM)' ./pkg/carnettest

test-all: test-grammar ## the long tests too
	CARNET_LONG=1 $(GO) test -timeout 60m ./...

test-grammar: ## what the SQL subset accepts, against the grammar of PostgreSQL
	cd tools/pggrammar && $(GO) vet ./... && $(GO) test ./...

# Tests that talk to a Vault server are left out where there is none, except here.
test-vault: vault ## the tests with a real Vault server, which fail without one
	CARNET_VAULT_TESTS=required $(GO) test ./internal/vaultserver ./pkg/vaultclient ./pkg/vaultsecret ./pkg/keys/... ./cmd/carnet-keyholder
	CARNET_VAULT_TESTS=required $(GO) test -run "Vault|Engine" ./pkg/carnettest ./internal/doctest

vault: ## a Vault server for development and tests: the one on the path, or built into .bin
	@if at=$$(command -v vault); then echo "using $$at"; else $(MAKE) --no-print-directory $(BIN)/vault; fi

# Vault's core in a module of its own; about two minutes the first time. Never distributed.
$(BIN)/vault: $(shell find tools/vault -name '*.go' -o -name 'go.*')
	@mkdir -p $(BIN)
	cd tools/vault && CGO_ENABLED=0 $(GO) build -tags minimal -trimpath -ldflags '-s -w' -o $@ .

plugin: ## build the secrets engine for Vault into bin/; VERSION=v1.2.3 is what it reports
	cd cmd/vault-plugin-carnet && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w $(if $(VERSION),-X main.version=$(VERSION))' -o $(CURDIR)/bin/vault-plugin-carnet .

test-plugin: vault ## the secrets engine, also registered in a real Vault server
	cd cmd/vault-plugin-carnet && $(GO) vet ./... && CARNET_VAULT_TESTS=required $(GO) test ./...

tidy: ## module files of the programs, and of the modules that follow their versions
	$(GO) mod tidy
	cd cmd/vault-plugin-carnet && $(GO) mod tidy
	cd tools/pggrammar && $(GO) mod tidy

vault-start: vault ## run a Vault server with TLS and an audit file, unsealed; ctrl-C stops it
	$(GO) run ./internal/vaultdev

# A number of inputs, not a time: go test can report the end of the time as a failure.
FUZZTIME ?= 5000x
fuzz: ## run every fuzz target with FUZZTIME inputs
	@GO=$(GO) tools/fuzz.sh $(FUZZTIME)

lint: $(BIN)/golangci-lint ## formatting, vet, static checks and import directions
	$(BIN)/golangci-lint run ./...
	cd cmd/vault-plugin-carnet && $(BIN)/golangci-lint run ./...

$(BIN)/golangci-lint:
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

gen: ## regenerate code and reference documents
	tools/gen.sh

gen-check: gen ## fail if generated files are not up to date
	git diff --exit-code -- pkg/api docs/reference pkg/he/internal pkg/scan

bench: ## every figure of docs/performance.md in one run; ARGS="-only filter -markdown"
	$(GO) run ./internal/bench $(ARGS)

clean:
	rm -rf bin .bin
