# Two commands for a stranger: make demo, make test. They need Go, a C compiler (the SQL parser is PostgreSQL's own, in
# C) and git; make test says what else it wants and installs it from Debian's packages where it may.
#
# Nothing here lists packages, tests or fuzz targets by name: they are discovered.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.7.0
TESTFLAGS   ?=
TEST        ?= ./...
BENCH       ?= .
FUZZTIME    ?= 1m
FUZZ        ?= .
SOAKTIME    ?= 10m
BUILD       ?= build

# Modules of their own below this one: tests whose dependencies nobody should inherit.
NESTED = $(shell git ls-files '*/go.mod' 2>/dev/null | grep -v /testdata/)

.PHONY: all test deps demo bench fuzz soak generate tidy builtins lint gofmt vet srhtvet staticcheck postgres-versions clean

all: lint test

# Everything, on real servers. A server that is missing and cannot be installed skips its tests, with CI=true it fails them.
test: deps
	$(GO) test -timeout 30m $(TESTFLAGS) $(TEST)
	@[ '$(TEST)' != ./... ] || for mod in $(NESTED); do $(GO) -C "$${mod%/go.mod}" test $(TESTFLAGS) ./... || exit; done

deps:
	@sh .ci/install-test-deps.sh

# The linter on a small service whose history is right and whose pending change is wrong.
demo:
	@GO='$(GO)' BUILD='$(BUILD)' sh .ci/demo.sh

bench:
	$(GO) test -timeout 60m -run '^$$' -bench '$(BENCH)' -benchmem $(TESTFLAGS) $(TEST)
	$(GO) run ./internal/lintbench
	$(GO) run ./internal/vetbench

# Each fuzz target whose name matches FUZZ, for FUZZTIME.
fuzz:
	@GO='$(GO)' sh .ci/each-test.sh '^Fuzz.*$(FUZZ)' '$(TEST)' -run '^$$' -fuzz=NAME -fuzztime $(FUZZTIME) $(TESTFLAGS)

# Each test named TestSoak… for SOAKTIME; make test runs them too, for seconds.
soak:
	@GO='$(GO)' HA_SOAK='$(SOAKTIME)' sh .ci/each-test.sh '^TestSoak' '$(TEST)' -count=1 -timeout 0 -v -run=NAME $(TESTFLAGS)

generate:
	$(GO) generate ./...

# This module, and those below it, which require it.
tidy:
	$(GO) mod tidy
	@for mod in $(NESTED); do $(GO) -C "$${mod%/go.mod}" mod tidy || exit; done

# The catalog's tables of built-in types, functions and operators, from the server that PGDSN names (a scratch database:
# extensions are created in it).
builtins:
	cd migratecheck/catalog && $(GO) run ./builtingen -dsn '$(PGDSN)'

lint: gofmt vet srhtvet staticcheck

gofmt:
	@files=$$(git ls-files --cached --others --exclude-standard '*.go' | grep -v /testdata/ | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt -w is due for:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

# Our own linter over our own code, as its users run it.
srhtvet:
	$(GO) build -o $(BUILD)/srhtvet ./cmd/srhtvet
	@if [ "$$(git rev-parse --is-shallow-repository 2>/dev/null)" = true ]; then \
		echo 'a shallow clone: what is released of examples/migrations cannot be told, and is not judged'; \
		$(GO) vet -vettool=$(abspath $(BUILD)/srhtvet) -migrations=false -queries=false ./...; \
	else \
		$(GO) vet -vettool=$(abspath $(BUILD)/srhtvet) ./...; \
	fi

staticcheck:
	$(GO) run $(STATICCHECK) ./...

# PostgreSQL's other major versions, for tests that compare them. Needs npm. VERSIONS="12 19" names others.
postgres-versions:
	$(GO) run ./internal/pgtest/fetchversions $(VERSIONS)

clean:
	rm -rf $(BUILD)
