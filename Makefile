# make demo | test | check | bench   (Python 3.11 or newer, git and make are all that is needed)
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
# Each process has servers of its own; a slow test is no reason for the others to wait, and some only wait.
PROCESSES := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
PYTEST := $(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal

# Hundreds of processes import the project: it is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-drift test types long check bench browser monitoring node registry lock clean

help:    ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 12

setup: $(READY)  ## install everything into .venv, from the hash-pinned requirements.txt

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Set PYTHON=...")'
	$(PYTHON) -m venv .venv
	@sh deploy/install-packages.sh $(BIN)/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## the main job on real data; EXIT=1 ends by itself, else the Web UI stays open until Ctrl-C
	$(BIN)/python -m examples.demo $(if $(EXIT),--exit)

demo-drift: setup  ## a year of real flights that one kind of monitor notices, a quiet year that none does; EXIT=1 opens no browser
	$(BIN)/python -m examples.drift_demo $(if $(EXIT),--exit)

test: setup browser monitoring node registry  ## all tests
	$(PYTEST)

long: setup  ## what takes half an hour more: floods, random lives, a soak, a restart, crashes at a gate, every seeded bug
	$(PYTEST) -m long

check: setup browser monitoring node registry  ## format, lint, types, import contracts, budgets, then all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory -j2 types test

types: setup
	$(BIN)/mypy

bench: setup  ## speed, history and memory as ratios against a hand-written workflow, in one run
	$(BIN)/python -m pytest tests/bench -m bench -s

browser:
	@(command -v chromium && command -v curl) >/dev/null 2>&1 || sh deploy/install-debian.sh browser

monitoring:
	@(command -v prometheus && command -v prometheus-alertmanager) >/dev/null 2>&1 || sh deploy/install-debian.sh monitoring

registry: setup
	@command -v docker-registry >/dev/null 2>&1 || test -x $(BIN)/docker-registry || sh deploy/install-registry.sh $(BIN)

node: tests/node/node_modules/.ready

tests/node/node_modules/.ready: tests/node/package.json
	@if command -v npm >/dev/null 2>&1; then cd tests/node && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts && touch node_modules/.ready; fi

lock: setup  ## pin requirements.txt anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-package modelops \
	  --extra demo --extra aws --group dev pyproject.toml -o requirements.txt --no-header

clean:   ## remove the environment and caches; data of `modelops up` stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
