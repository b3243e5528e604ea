# Everything a developer or an operator does by hand. `make` lists it.
# Python packages come hash by hash from the locks; nothing is installed outside this folder but, once, by apt.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
UV_VERSION := 0.13.9
BIN := .venv/bin
FRONTEND := frontend-islands
LIGHTHOUSE := tests/benchmarks/lighthouse
NPM := npm --prefix $(FRONTEND) --silent
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
# Debian starts what it installs, unless this file says no; a machine that has one keeps it as it is.
WITHOUT_SERVICES = policy=/usr/sbin/policy-rc.d; if [ ! -e $$policy ]; then \
  trap "$(SUDO) rm -f $$policy" EXIT; printf '\#!/bin/sh\nexit 101\n' | $(SUDO) tee $$policy >/dev/null; \
  $(SUDO) chmod 755 $$policy; fi
NO_CLUSTER = $(SUDO) sed -i 's/^\#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
# The server's: the folder is there with the client alone.
INITDB := $(or $(lastword $(wildcard /usr/lib/postgresql/*/bin/initdb)),/usr/lib/postgresql/initdb)
# Letters for the Chinese half of the screenshots: Debian's own place for them.
CHINESE := /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
APT_GET = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300
APT = $(APT_GET) update && $(APT_GET) install -y --no-install-recommends

# The Python of this machine or none: no interpreter is downloaded behind anybody's back.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Tests start hundreds of Pythons: each would compile all of ours anew where the environment forbids to keep it.
unexport PYTHONDONTWRITEBYTECODE
# The authorities this machine trusts, where it has a list: a company's own is among them.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := true
endif

.PHONY: help setup run check test e2e bench day lighthouse screenshots build translations lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/dev.stamp /usr/bin/chromium /usr/sbin/nginx $(INITDB) /usr/bin/redis-server /usr/bin/systemd-analyze $(FRONTEND)/node_modules/.stamp ## install everything that developing and testing needs

# What is installed for developing is more than enough to run, and is not taken away again.
run: $(if $(wildcard .venv/dev.stamp),.venv/dev.stamp,.venv/run.stamp) ## install what is needed, migrate, serve on http://127.0.0.1:8000
	@exec $(BIN)/teahouse serve

check: .venv/dev.stamp $(FRONTEND)/node_modules/.stamp ## lint, types, layers, templates, and what must not drift apart
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --profile jinja --lint --quiet --ignore J018,H052
	$(BIN)/teahouse openapi --check
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && export TEAHOUSE_DATA_DIR="$$data" \
	  && echo "$(BIN)/teahouse db check" && $(BIN)/teahouse db upgrade && $(BIN)/teahouse db check
	$(NPM) run check
	$(BIN)/pytest -q tests/architecture

test: setup build ## run every test, those in a browser too, and on PostgreSQL what a database concerns
	$(NPM) test
	$(call PASS,postgresql)
	$(call PASS,sqlite)

e2e: setup build ## run the tests in a browser alone
	$(BIN)/pytest $(BESIDE) tests/browser
# Two files at a time: the tests wait more than they work. A file stays together, with what it has set up.
BESIDE := --numprocesses 2 --dist loadfile --quiet
# Many wait for seconds that a busy machine does not have: what failed may show that it passes when it has the machine.
ALONE := --last-failed --last-failed-no-failures none
# The whole one comes last, and its summary with it. Which tests there are on PostgreSQL: tests/conftest.py.
PASS = export TEAHOUSE_TEST_DATABASE=$(1); echo "Tests on $(1):"; $(BIN)/pytest $(BESIDE) $(TESTS) \
  || { [ $$? = 1 ] && echo "Once more, with nothing beside it:" && $(BIN)/pytest $(ALONE) $(TESTS); }

bench: setup /usr/bin/wrk ## measure this server against its promises
	$(BIN)/python -m tests.benchmarks

day: setup ## live a day of a site in ten minutes, past one machine: does anything grow that should not?
	$(BIN)/python -m tests.benchmarks.day

lighthouse: setup build $(LIGHTHOUSE)/node_modules/.stamp ## have Lighthouse judge the sign-in and a conversation, of both faces
	$(BIN)/python -m tests.benchmarks.audits

screenshots: setup build $(CHINESE) ## picture every state of the pages (ONLY=name for one of them), see screenshots/index.html
	$(BIN)/python -m tests.browser.screenshots $(ONLY)

build: $(FRONTEND)/node_modules/.stamp ## build the application at /app/ and the islands (needs Node 20; the pages need neither)
	$(NPM) run build

translations: .venv/dev.stamp ## bring the message catalogues up to date with the sentences in code and templates
	$(BIN)/python -m app.i18n.extraction

lock: ## lock the versions in pyproject.toml anew (asks the package index)
	$(UV) pip compile pyproject.toml $(LOCKING) -o requirements.lock
	$(UV) pip compile pyproject.toml --extra embedded $(LOCKING) -o requirements-embedded.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra scale $(LOCKING) -o requirements-scale.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra telemetry $(LOCKING) -o requirements-telemetry.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra scale --extra telemetry --group dev $(LOCKING) -o requirements-dev.lock
LOCKING := --quiet --universal --generate-hashes --no-emit-index-url --no-header

# --- what the targets stand on -----------------------------------------------------------------------------------

.venv/run.stamp: requirements-embedded.lock pyproject.toml | .venv/bin/python
	$(UV) pip sync --python $(BIN)/python --quiet --require-hashes requirements-embedded.lock
	$(UV) pip install --python $(BIN)/python --quiet --no-deps -e .
	@touch $@ && rm -f .venv/scale.stamp

# The same, and what PostgreSQL and Celery need.
.venv/scale.stamp: requirements-scale.lock pyproject.toml | .venv/bin/python
	$(UV) pip sync --python $(BIN)/python --quiet --require-hashes requirements-scale.lock
	$(UV) pip install --python $(BIN)/python --quiet --no-deps -e .
	@touch $@ && rm -f .venv/run.stamp

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(UV) pip sync --python $(BIN)/python --quiet --require-hashes requirements-dev.lock
	$(UV) pip install --python $(BIN)/python --quiet --no-deps -e .
	@touch $@

.venv/bin/python: | $(filter .tools/bin/uv,$(UV))
	$(UV) venv --quiet .venv

.tools/bin/uv:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "Installing python3-venv by apt …"; $(APT) python3-venv >/dev/null; }
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(FRONTEND)/node_modules/.stamp: $(FRONTEND)/package-lock.json $(FRONTEND)/package.json
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { echo "Node 20 or newer is needed for the frontend."; exit 1; }
	npm --prefix $(FRONTEND) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(LIGHTHOUSE)/node_modules/.stamp: $(LIGHTHOUSE)/package-lock.json
	npm --prefix $(LIGHTHOUSE) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

/usr/bin/systemd-analyze:
	@echo "Installing systemd by apt, whose tools check the units …"
	@$(APT) systemd >/dev/null

/usr/sbin/nginx:
	@echo "Installing nginx by apt, for the tests of the whole site …"
	@$(APT) nginx >/dev/null

# Their programs alone: nothing is started, and nothing is left to start with the machine.
$(INITDB):
	@echo "Installing PostgreSQL by apt, for the tests on it …"
	@$(WITHOUT_SERVICES) && $(APT) postgresql-common >/dev/null && $(NO_CLUSTER) && $(APT) postgresql >/dev/null

/usr/bin/redis-server:
	@echo "Installing Redis by apt, for the tests of several machines …"
	@$(WITHOUT_SERVICES) && $(APT) redis-server >/dev/null

/usr/bin/wrk:
	@echo "Installing wrk by apt, which asks for a file some thousand times a second …"
	@$(APT) wrk >/dev/null

/usr/bin/chromium:
	@echo "Installing chromium by apt, for the tests in a browser …"
	@$(APT) chromium >/dev/null

$(CHINESE):
	@echo "Installing fonts-noto-cjk by apt, for screenshots in Chinese …"
	@$(APT) fonts-noto-cjk >/dev/null
