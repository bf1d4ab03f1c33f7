# Every way to build, run and check the project. `make` alone lists them.

SHELL      := bash
.SHELLFLAGS := -eu -o pipefail -c
FUNCTIONS  := EdgeAuth/AuthorizerFunction CallbackFunction DashboardFunction ApiFunction
RECIPES    := $(patsubst %,build-%,$(notdir $(FUNCTIONS)))
ARCH       ?= arm64
OS         ?= linux
BUILD      ?= build/$(ARCH)
URL        ?= http://localhost:3000/Prod
SIGN_IN_AS := $(if $(filter command,$(firstword $(origin USER))),$(USER),alice@example.com)
FUZZTIME   ?= 20s
RUN_FLAGS  ?=
RULES      ?=
VERSION    :=
OUT        ?= dist
TOOL       ?= build/edgeauth
MODULE_AT  := $(shell sed -n 's/^module //p' go.mod)
GO_BUILD    = CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w $(if $(VERSION),-X $(MODULE_AT)/internal/version.tag=$(VERSION))'
TOOLS      := go tool -modfile=$(CURDIR)/tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help run build tool release module test lint e2e cookie token smoke template-check kits parameters cdk rehearsal faults mutants fuzz soak bench clients templates tools $(RECIPES)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run everything on this machine: http://localhost:3000/Prod/ (RULES=file: with these access rules; RUN_FLAGS: see local/README.md)
	@$(MAKE) -s build ARCH=$$(go env GOARCH) OS=$$(go env GOOS) BUILD=build/here >/dev/null
	@$(MAKE) -s tool
	$(if $(RULES),@test -r '$(RULES)' || { echo 'RULES: there is no file $(RULES)' >&2; exit 1; })
	@exec build/edgeauth run -template template.yaml -build build/here $(if $(RULES),-param AccessRules="$$(cat $(RULES))") $(RUN_FLAGS)

.PHONY: run-your-app
run-your-app: ## run an application of one's own, in Go, Python and JavaScript, with its pool: http://localhost:3000/Prod/ (needs Python and Node.js)
	@exec examples/your-app/run $(RUN_FLAGS)

.PHONY: run-dash
run-dash: ## run the Dash example on this machine, Dash included: http://localhost:3000/Prod/ (needs Python)
	@exec examples/dash/run $(RUN_FLAGS)

build: ## build the four Lambda binaries (ARCH=arm64 or amd64) and print their sizes
	@for f in $(FUNCTIONS); do mkdir -p $(BUILD)/$$f; $(MAKE) -s build-$${f##*/} ARTIFACTS_DIR=$(BUILD)/$$f ARCH=$(ARCH) OS=$(OS); done
	@wc -c $(FUNCTIONS:%=$(BUILD)/%/bootstrap)

# The one rule per function that `sam build` calls too.
build-AuthorizerFunction: PACKAGE = ./authorizer
build-CallbackFunction:   PACKAGE = ./callback
build-DashboardFunction:  PACKAGE = ./app/dashboard
build-ApiFunction:        PACKAGE = ./app/api
$(RECIPES): enough-go
	@GOOS=$(OS) GOARCH=$(ARCH) $(GO_BUILD) -o $(ARTIFACTS_DIR)/bootstrap $(PACKAGE)

# With an older Go that may not fetch the one that go.mod wants, and before 1.21 with any, the compiler's own message says little about what to do.
.PHONY: enough-go
enough-go:
	@go list -m >/dev/null || { echo "this needs Go $$(sed -n 's/^go //p' go.mod), and $$(go env GOVERSION 2>/dev/null || go version) is here: https://go.dev/dl has it, or GOTOOLCHAIN=auto lets go fetch it" >&2; exit 1; }

tool: enough-go ## build the tool edgeauth, for this machine (OS=, ARCH=: another; TOOL=: where it goes)
	@GOOS=$(if $(filter command,$(firstword $(origin OS))),$(OS)) GOARCH=$(if $(filter command,$(firstword $(origin ARCH))),$(ARCH)) $(GO_BUILD) -o $(TOOL) ./cmd/edgeauth

release: ## make what is handed to others, reproducibly, into OUT (VERSION=: the name; else the tag of this commit)
	@go run ./internal/release -version '$(or $(VERSION),$(shell git describe --tags --always --dirty 2>/dev/null),dev)' -out $(OUT)
	@cat $(OUT)/checksums.txt

module: ## give the module a name under which others can fetch your fork: MODULE=github.com/acme/edgeauth
	@go run ./internal/rename '$(MODULE)'

test: ## run every test that needs only Go and a C compiler, with the race detector
	@go vet ./...
	@go test -race -shuffle=on -timeout 10m ./...
	@go test -run 'Alloc|Size' ./... # what the race detector would distort

lint: ## formatting, vet, staticcheck, tidy modules
	@test -z "$$($(TOOLS) gofumpt -l . | tee /dev/stderr)"
	@for module in . e2e bench; do (cd $$module && go vet ./... && $(TOOLS) staticcheck ./... && go mod tidy -diff); done
	@go mod verify

e2e: ## drive the whole system from outside, with a browser (needs chromium)
	@cd e2e && go test -count=1 -timeout 30m ./...

cookie: ## sign in at URL, here or deployed, and print a value for curl -b (deployed: USER=, and the password in PASSWORD; ALL=1: every cookie)
	@go run ./cmd/edgeauth cookie -url $(URL) -user $(SIGN_IN_AS) $(if $(ALL),-all)

token: ## print an access token for curl -H "Authorization: Bearer …", here only; AS=machine: of the machine client
	@go run ./cmd/edgeauth token -url $(URL) $(if $(filter machine,$(AS)),-machine,-user $(SIGN_IN_AS))

smoke: ## try the system at URL from outside, here or deployed (deployed: USER=, and the password in PASSWORD)
	@go run ./cmd/edgeauth check -url $(URL) -user $(SIGN_IN_AS)

template-check: ## hold the templates against every known hazard; sam build ships what make build makes (needs Python)
	@template/check

kits: ## test the Python and JavaScript kits under real frameworks, the types that are served, and the Dash example's function (needs Python and Node)
	@identity/check
	@examples/dash/check

parameters: ## write parameters.yaml, the list of what the part can be told, from edgeauth.yaml (needs Python)
	@template/preset

cdk: ## test the construct for the CDK (needs Node)
	@cd cdk && npm ci --silent --no-audit --no-fund && npm test --silent

rehearsal: ## deploy template.yaml, and applications that take the part in, into MiniStack and sign in there (needs Python and Node)
	@template/rehearse

faults: ## seed each fault that `edgeauth doctor` knows into MiniStack, and see it found by its name, alone (needs Python)
	@template/faults

mutants: ## delete each listed rule in turn; every one must turn a test red (LISTS="token jwks": only those; all take half an hour)
	@go run ./internal/mutants $(LISTS)

fuzz: ## fuzz every property for FUZZTIME each, and say how many inputs a second were tried
	@.ci/fuzz $(FUZZTIME)

soak: ## a thousand browsers under faults, for SECONDS= or REQUESTS=, with SEED=; an oracle judges each answer
	@cd e2e && go test -count=1 -timeout 0 -v -run '^TestSoak$$' . $(if $(SECONDS),-soak-seconds $(SECONDS)) $(if $(REQUESTS),-soak-requests $(REQUESTS)) $(if $(SEED),-soak-seed $(SEED))

# AWS's own clients of the Runtime API, which ours for the local system are held to. The native part of the one for Node.js is not built.
clients: ## install AWS's runtime clients for Python and Node.js, so that `make test` compares ours with them
	@test -x build/clients/python/bin/python3 || python3 -m venv build/clients/python
	@build/clients/python/bin/pip install --quiet --disable-pip-version-check awslambdaric==4.2.2
	@npm install --silent --ignore-scripts --no-save --prefix build/clients/node aws-lambda-ric@3.3.0

templates: ## fetch SAM templates that others wrote, so that `make test` tries the local system on them
	@python3 local/testdata/public/fetch.py build/templates

bench: ## measure speed beside raw RSA, other libraries, a no-op Lambda, Node and oauth2-proxy (ONLY="callback journeys": these parts)
	@cd bench && go run . $(if $(ONLY),-only '$(ONLY)')
