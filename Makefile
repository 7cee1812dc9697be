# Bare `make` prints the targets below, section by section: a target is described by `target: ##@Section text`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Flags for the program, as in `make run ARGS="--http-addr :9000"`. The targets below "Look" ask the server that the same
# flags, environment and .env would start.
ARGS ?=
# Seconds that `make health` waits for the server.
WAIT ?= 60
# Services of the compose file that `make logs` shows; all, if none is named.
SERVICES ?=
# The platform that `make ws-filter` shows.
PLATFORM ?=
# Another server for the targets below "Look", as in `make readyz API_URL=https://chat.example.com`.
API_URL ?=
export API_URL
THERE := $(if $(API_URL),--url $(API_URL))
WS := scripts/elora ws $(THERE)

# The stamp lies inside the output, so that deleting the output makes it stale.
FRONTEND := frontend/dist/.built
FRONTEND_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path 'frontend/dist/*' \
	-not -path '*/test-results/*' -not -name '*.test.ts' 2>/dev/null)

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*##@" } \
		/^[a-z][a-z-]*:.*##@/ { split($$2, word, " "); section = word[1]; text = substr($$2, length(section) + 2); \
			if (section != last) { printf "\n%s\n", section; last = section } \
			printf "  %-14s %s\n", $$1, text }' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: run
run: ##@Run Build what is stale, then serve on http://127.0.0.1:8080
	@scripts/setup build
	@$(MAKE) release
	@exec "$$(scripts/elora --path release)" serve $(ARGS)

.PHONY: dev
dev: ##@Run Debug server, and pages that reload on http://127.0.0.1:5173
	@scripts/dev $(ARGS)

.PHONY: bootstrap
bootstrap: ##@Container Pull the images that can be had, build the rest
	@scripts/compose pull || echo "not every image could be pulled: what has a Dockerfile is built" >&2
	@scripts/compose build

.PHONY: up
up: ##@Container Start in the background, with the harvester if that is the driver
	@scripts/compose up -d --remove-orphans

.PHONY: down
down: ##@Container Stop and remove the containers; the volume stays
	@scripts/compose down --remove-orphans

.PHONY: logs
logs: ##@Container Follow the log, which has the link that signs you in; SERVICES=…
	@scripts/compose logs -f --tail=200 $(SERVICES)

.PHONY: test-image
test-image: ##@Container Build the image without an engine and try it: root, many minutes
	@scripts/test-image

.PHONY: frontend
frontend: $(FRONTEND) ##@Build The pages, if a source of theirs is newer
$(FRONTEND): $(FRONTEND_SOURCES)
	@scripts/build-frontend

.PHONY: release
release: $(FRONTEND) ##@Build The release binary
	@scripts/build-release

.PHONY: screenshot
screenshot: $(FRONTEND) ##@Build docs/screenshot.png anew, from the recording that ships
	@scripts/screenshot

.PHONY: setup
setup: ##@Build Check the tools, install packages for pages and tests
	@scripts/setup test

.PHONY: test
test: ##@Check Everything: lints, all tests, pages in a browser, short benches
	@scripts/test all

.PHONY: check
check: ##@Check Before a commit: format, lints, Rust and page tests; no browser
	@scripts/test check

.PHONY: bench
bench: ##@Measure Everything, into docs/BENCH.md: minutes that want a quiet machine
	@scripts/bench

.PHONY: bench-parse
bench-parse: ##@Measure Reading a chat line, beside other parsers
	@scripts/bench parse

.PHONY: bench-feed
bench-feed: ##@Measure The feed with 500 clients, beside a bare broadcast
	@scripts/bench feed

.PHONY: bench-slow
bench-slow: ##@Measure The feed with one client that never reads, beside without it
	@scripts/bench slow

.PHONY: bench-ingest
bench-ingest: ##@Measure Rows a second from Twitch to the feed, beside a bare loop
	@scripts/bench ingest

.PHONY: bench-export
bench-export: ##@Measure Export of 100,000 rows, beside a bare loop
	@scripts/bench export

.PHONY: bench-purge
bench-purge: ##@Measure The feed while 1,000,000 rows are purged
	@scripts/bench purge

.PHONY: soak-harvester
soak-harvester: ##@Measure A harvester that waits for no lock beside our reader, for a minute
	@scripts/bench harvester

.PHONY: bench-import
bench-import: ##@Measure The feed and history while a file of 1,000,000 rows is imported
	@scripts/bench import

.PHONY: ws
ws: ##@Look Print chat from a running server, a line each
	@$(WS) $(ARGS)

.PHONY: ws-twitch
ws-twitch: ##@Look Only Twitch
	@$(WS) --platform twitch $(ARGS)

.PHONY: ws-youtube
ws-youtube: ##@Look Only YouTube
	@$(WS) --platform youtube $(ARGS)

.PHONY: ws-filter
ws-filter: ##@Look Only PLATFORM=…
	@$(WS) $(if $(PLATFORM),--platform $(PLATFORM)) $(ARGS)

.PHONY: seed-marker
seed-marker: ##@Look Put one line of ours into a running server's chat
	@scripts/elora seed marker $(THERE) $(ARGS)

.PHONY: seed-burst
seed-burst: ##@Look Put six lines of ours into it, on two platforms
	@scripts/elora seed burst $(THERE) $(ARGS)

# The same by the names they once had.
.PHONY: ws\:twitch ws\:youtube seed\:marker seed\:burst
ws\:twitch: ws-twitch
ws\:youtube: ws-youtube
seed\:marker: seed-marker
seed\:burst: seed-burst

.PHONY: health
health: ##@Look Wait until the server is ready, at most WAIT seconds
	@scripts/wait-ready $(WAIT) $(ARGS)

.PHONY: healthz
healthz: ##@Look Whether the server answers
	@scripts/ask /healthz $(ARGS); echo

.PHONY: readyz
readyz: ##@Look Whether it can write to its store, and why not
	@scripts/ask /readyz $(ARGS); echo

.PHONY: configz
configz: ##@Look The configuration a running server uses, secrets hidden
	@scripts/ask /configz $(ARGS) | { python3 -m json.tool 2>/dev/null || cat; }

.PHONY: token
token: ##@Look The owner token; make token ARGS=--link prints a login link
	@scripts/elora token $(ARGS)
