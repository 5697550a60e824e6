# The only door: every chore has a target here, and .ci/run calls the same ones.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SETUP_INPUTS := pyproject.toml constraints.txt
.DEFAULT_GOAL := help
.PHONY: help setup run check fix test e2e bench build clean

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "codet5p needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "remedy: apt-get install python3-venv"; exit 1; }
	@$(PIP) install --quiet --upgrade pip

$(VENV)/.runtime: $(BIN)/python $(SETUP_INPUTS)  # what a user needs: no torch
	@echo "installing codet5p into $(VENV) (once, about a minute)"
	@$(PIP) install --quiet -c constraints.txt -e . 2> $(VENV)/pip.log || { cat $(VENV)/pip.log; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime $(SETUP_INPUTS) scripts/make_links.py
	@echo "installing what development needs, torch among it (once, some minutes)"
	@$(PIP) install --quiet -c constraints.txt -e '.[train,corpus,dev]' 2> $(VENV)/pip.log || { cat $(VENV)/pip.log; exit 1; }
	$(BIN)/python scripts/make_links.py
	@touch $@

setup: $(VENV)/.dev  ## Make .venv with everything a contributor needs

run: $(VENV)/.runtime  ## Install what is missing, then show the assistant at work
	$(BIN)/codet5p demo

check: $(VENV)/.dev  ## Formatting, lint, types, import direction, docstrings
	$(BIN)/python scripts/make_links.py
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd .links && ../$(BIN)/lint-imports --config ../pyproject.toml
	$(BIN)/pydoclint --quiet codet5p model training export lsp_server

fix: $(VENV)/.dev  ## Format, and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/.dev  ## Unit, integration and end-to-end tests
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

e2e: $(VENV)/.dev  ## Only the tests that drive the real server and command line
	$(BIN)/python -m pytest -m e2e

bench: $(VENV)/.dev  ## Measure latency and memory; writes benchmarks/results/
	$(BIN)/python -m benchmarks.latency

build: $(VENV)/.dev  ## Wheel and sdist in dist/
	$(BIN)/python -m build --outdir dist .

clean:  ## Remove everything that can be made again
	rm -rf $(VENV) .links build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage .import_linter_cache .hypothesis
