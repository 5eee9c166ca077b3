# Two commands matter: `make demo` shows a live migration, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# The system's own where it can make environments: distributions build with profile-guided optimization, and everything
# here takes an eighth to a quarter less CPU than with that of a pyenv (ansible, the emulator, plain loops).
PYTHON ?= $(shell system=$$(command -pv python3.11) && $$system -c 'import ensurepip, venv' 2>/dev/null && echo $$system || echo python3.11)
VENV := .venv
SEEDS ?= 4
RUNS ?= 25
SEED ?= 0
JOBS ?= 2
AGENTS ?= 1
ONLY ?=
SHARE ?= 1
PYTHONS ?=
NAMES ?=
# The soak comes first, and beside it only the linters, which take what it leaves: beside others its runs take several
# times as long. Those that only need CPU yield to the others, of which the light ones stand last.
IDLE := lint
PATIENT := lint pythons unit testbed-test mutants
PARTS := soak integration e2e hosts-quick demo-quick floor browser release-check $(PATIENT)
AGENT := build/cutover-agent.pyz
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Images for containers like to set it, and then each of a thousand processes compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock demo demo-quick check unit testbed testbed-test integration browser images hosts-test hosts-quick floor pythons eda e2e big soak mutants bench bench-testbed lint test docs agent release-check clean distclean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.made ## make the virtual environment .venv from the lock file

$(VENV)/.made: requirements-dev.lock
	@echo "== virtual environment ($(PYTHON))"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

lock: ## resolve the ranges of pyproject.toml anew into requirements-dev.lock
	tests/lint/lock.sh $(PYTHON)

demo: setup ## migrate a live cluster into another one, with a table of figures at the end
	python -m tests.demo

demo-quick: setup ## the demo with a tenth of its data, as make test runs it
	python -m tests.demo --every 10

check: lint unit ## linters and unit tests: what every commit passes

unit: setup
	@echo "== unit tests"
	pytest -q -n 2 --dist loadfile tests/unit tests/model

testbed: setup ## an empty source, an empty target and its platform to play with, until Ctrl-C
	python -m tests.testbed.foreground

testbed-test: setup ## the emulator's own tests, with the replay of recorded exchanges
	@echo "== testbed tests"
	pytest -q -n 2 --dist loadfile tests/testbed

integration: setup ## engine, role, playbooks and bad input against emulated clusters
	@echo "== integration tests"
	@# The playbooks first: their files have few tests that are long, and xdist's own order would leave them for the end.
	pytest -q -n 3 --dist loadfile --no-loadscope-reorder tests/roles tests/integration tests/bad_input tests/big

browser: setup ## the status page in headless Chromium, and what promtool says of metrics and alerts
	@echo "== browser tests"
	pytest -q tests/browser tests/monitoring

images: setup ## make the screenshots of docs/images anew
	CUTOVER_IMAGES=docs/images pytest -q tests/browser -k every_state
	find docs/images -name 'status-*' ! -name '*-light.png' ! -name 'status-cutover-dark.png' \
	    ! -name 'status-copying-light-phone.png' -delete

floor: setup ## the playbooks with the oldest and the newest ansible-core that the Pythons here can run
	@echo "== floor"
	tests/floor/run.sh

hosts-test: setup ## the roles on real systemd hosts (Debian 11, 12, 13) under systemd-nspawn; needs root
	@echo "== hosts test"
	python -m tests.hosts

hosts-quick: setup ## the part of hosts-test that make test runs: put there, killed, taken away (about 4 minutes)
	@echo "== hosts test, the quick part"
	python -m tests.hosts --quick

pythons: setup ## the engine's and the agent's unit tests on the other Pythons that are here (3.9 to 3.13)
	@echo "== other Pythons"
	tests/pythons/run.sh $(PYTHONS)

eda: setup ## the rulebooks under ansible-rulebook, in an environment of its own; needs Java 17
	@echo "== event-driven Ansible"
	tests/eda/run.sh

e2e: setup ## small migrations drawn by seed, with a killed agent (SEEDS=20)
	@echo "== end-to-end tests ($(SEEDS) seeds)"
	E2E_SEEDS=$(SEEDS) pytest -q -n 2 --dist loadfile tests/e2e

big: setup ## documents of 50 MB, a transaction of 2 GiB, 10,000 collections, a shard of millions (hours, 20 GB; SHARE=1)
	@echo "== big things ($(SHARE) of their sizes)"
	CUTOVER_BIG=$(SHARE) pytest -q -s tests/big

soak: setup ## drawn migrations under faults, judged by what the emulator stores (RUNS=25 SEED=0 JOBS=2 AGENTS=1)
	@echo "== soak ($(RUNS) runs from seed $(SEED))"
	pytest -q tests/soak
	python -m tests.soak --runs $(RUNS) --seed $(SEED) --jobs $(JOBS) --only "$(ONLY)" --agents $(AGENTS)

mutants: setup ## break each rule of the engine on purpose and see its test fail (about 2 minutes)
	@echo "== mutants"
	python -m tests.mutants

bench: setup ## what the agent costs beside its peers, into build/bench (NAMES="relay apply"; all: about 25 minutes)
	python -m tests.bench $(NAMES)

bench-testbed: setup ## whether the emulator is fast and small enough not to be the bottleneck (minutes, under 10 GB)
	python -m tests.bench.testbed

lint: setup ## ruff, mypy, yamllint, shellcheck, ansible-lint, antsibull-docs and -changelog, ansible-test sanity
	tests/lint/run.sh

test: setup ## everything, in two lanes: linters, all tests, the packed collection, the demo; with the time of each part
	@# Of the other Pythons the oldest and the newest; `make pythons` takes all that are here.
	PYTHONS="$(or $(PYTHONS),3.9 3.13)" python -m tests.tools.parts --patient "$(PATIENT)" --idle "$(IDLE)" $(PARTS)

docs: setup ## write the generated pages of docs/ anew
	python -m tests.tools.prechecks_page
	python -m tests.tools.errors_page
	python -m tests.tools.openapi_document
	python -m tests.tools.reference_page
	python -m tests.tools.cli_page

agent: setup ## build the agent's archive, build/cutover-agent.pyz
	python -m tests.build_agent $(AGENT)

release-check: setup ## build the collection, install the result, look at what it holds
	@echo "== release check"
	tests/lint/release.sh

clean: ## remove what was built
	rm -rf build tests/output .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible

distclean: clean ## and the virtual environment
	rm -rf $(VENV)
