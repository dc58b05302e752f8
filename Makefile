# make help lists the targets.
GO      ?= go
TOOL     = $(GO) tool -modfile=internal/tools/go.mod
PACKAGES = ./...
# Extra arguments of `make run`, for example: make run ARGS="S-1 --runs 3"
ARGS    ?= S-3

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/cosim
	$(GO) build -trimpath -o bin/cosim ./cmd/cosim

.PHONY: run
run: ## run an experiment: make run ARGS="S-1 --runs 3"
	$(GO) run ./cmd/cosim run $(ARGS)

.PHONY: test
test: lint ## linters and all tests but integration's; installs what it needs
	$(GO) test -timeout 15m $(PACKAGES)

.PHONY: race
race: ## the tests under the race detector (short ones)
	$(GO) test -race -short -timeout 20m $(PACKAGES)

.PHONY: lint
lint: ## gofumpt, go vet, staticcheck, at the versions pinned in internal/tools
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted (make format):"; echo "$$out"; exit 1; fi
	$(GO) vet $(PACKAGES)
	$(TOOL) staticcheck $(PACKAGES)

.PHONY: format
format: ## gofumpt on every file
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

.PHONY: integration
integration: setup ## tests against independent tools (tshark, Chromium, HiGHS, InfluxDB, Grafana's types), build tag integration
	$(GO) test -tags integration -run Integration -timeout 15m $(PACKAGES)

.PHONY: faults
faults: ## what external federates do wrong: 500 seeded cases, counted by kind
	@$(GO) test -tags integration -run IntegrationFaultCampaign -v -timeout 15m ./internal/experiment >faults.out; \
	status=$$?; grep -v -e '=== ' -e '--- PASS' faults.out; rm faults.out; exit $$status

INFLUXD = .cache/influxdb-1.8.10/influxd
$(INFLUXD):
	mkdir -p $(@D)
	cd $(@D) && GOBIN=$(CURDIR)/$(@D) GOFLAGS=-mod=mod $(GO) install github.com/influxdata/influxdb/cmd/influxd@v1.8.10

.PHONY: setup
setup: $(INFLUXD) ## what the integration tests use: Debian packages (root only), InfluxDB from source, HiGHS and Grafana's types from npm
	@missing=; command -v tshark >/dev/null || missing=tshark; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then :; elif [ "$$(id -u)" = 0 ]; then \
		apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y $$missing >/dev/null; \
	else echo "missing: apt-get install $$missing" >&2; exit 1; fi
	@cd internal/tools/node; [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --loglevel=error || \
		echo "HiGHS and Grafana's types could not be installed: without CI=true the tests with HiGHS are skipped" >&2

.PHONY: grafana
grafana: ## dashboards and alert rules for Grafana, from their Go description
	$(GO) generate ./grafana

FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each
	@set -e; for pkg in $$($(GO) list $(PACKAGES)); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

COUNT ?= 6
.PHONY: bench
bench: ## every benchmark, COUNT times, summarised by benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) $(PACKAGES) | tee bench.out
	$(TOOL) benchstat bench.out

.PHONY: cover
cover: ## test coverage by package
	$(GO) test -cover -timeout 15m $(PACKAGES)

# What some pictures are drawn from; delete it where the models have changed.
PICTURED = .cache/pictured
$(PICTURED):
	for e in S-1 S-2 S-3; do $(GO) run ./cmd/cosim run $$e --runs 30 --quiet --out $(PICTURED).new || exit; done
	mv $(PICTURED).new $(PICTURED)

DECIDED = .cache/decided
$(DECIDED):
	$(GO) run ./cmd/cosim run S-5 --decisions every:3s --quiet --out $(DECIDED).new
	mv $(DECIDED).new $(DECIDED)

.PHONY: pictures
pictures: $(PICTURED) $(DECIDED) ## the pictures of the documentation, from 91 runs the first time (.cache/pictured, .cache/decided)
	$(GO) run docs/pictures/contingency.go
	$(GO) run docs/pictures/recovery.go $(PICTURED)
	$(GO) run docs/pictures/report.go $(PICTURED)
	$(GO) run docs/pictures/terminal.go
	COSIM_PICTURES=$(CURDIR)/docs/pictures $(GO) test -count=1 -tags integration -run PicturesOfThePage ./internal/serve
	$(GO) run ./cmd/cosim grid step ieee39 --load 15 --mw 100 --png docs/pictures/step-39.png >/dev/null
	$(GO) run ./cmd/cosim link --to 240 --step 1 --png docs/pictures/link.png >/dev/null
	$(GO) run ./cmd/cosim decide $(DECIDED) --cold --rounds 2,5,10,20,40,80,120 --png docs/pictures/decide-rounds.png >/dev/null
