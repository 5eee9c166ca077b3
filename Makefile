# Two commands matter: `make demo` shows a live migration, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3.11
VENV := .venv
SEEDS ?= 3
AGENT := build/cutover-agent.pyz
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup lock demo check unit testbed e2e lint test agent clean distclean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

check: setup ## the quick tests only: unit tests, no linters, no processes
	pytest -q -n 2 --dist loadfile tests/unit

unit: setup
	@echo "== unit tests"
	pytest -q -n 2 --dist loadfile tests/unit

testbed: setup ## the emulator's own tests, with the replay of recorded exchanges
	@echo "== testbed tests"
	pytest -q -n 2 --dist loadfile tests/testbed

e2e: setup ## small migrations drawn by seed, with a killed agent (SEEDS=20)
	@echo "== end-to-end tests ($(SEEDS) seeds)"
	E2E_SEEDS=$(SEEDS) pytest -q -m e2e tests/e2e

lint: setup ## ruff, mypy, yamllint, shellcheck, ansible-lint, ansible-test sanity
	tests/lint/run.sh

test: setup ## everything: lint, unit, testbed and end-to-end tests
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory unit
	$(MAKE) --no-print-directory testbed
	$(MAKE) --no-print-directory e2e
	@echo "make test: fine"

agent: setup ## build the agent's archive
	python -m tests.build_agent $(AGENT)

clean: ## remove what was built
	rm -rf build tests/output .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible

distclean: clean
	rm -rf $(VENV)
