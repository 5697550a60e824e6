# The only door: every chore has a target here, and .ci/run calls the same ones.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIENT := vscode-client
PIP := $(BIN)/python -m pip --disable-pip-version-check
SETUP_INPUTS := pyproject.toml constraints.txt
.DEFAULT_GOAL := help
.PHONY: help setup run check fix test e2e e2e-server e2e-editor e2e-others coverage bench vsix build clean

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

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
	@$(PIP) install --quiet -c constraints.txt -e '.[train,corpus,mcp,dev]' 2> $(VENV)/pip.log || { cat $(VENV)/pip.log; exit 1; }
	$(BIN)/python scripts/make_links.py
	@touch $@

setup: $(VENV)/.dev  ## Make .venv with everything a contributor needs

run: $(VENV)/.runtime  ## Install what is missing, then show the assistant at work
	$(BIN)/codet5p demo

$(CLIENT)/node_modules/.installed: $(CLIENT)/package-lock.json
	@echo "installing what the VS Code extension is built with"
	@cd $(CLIENT) && npm ci --ignore-scripts --silent
	@touch $@

check: $(VENV)/.dev $(CLIENT)/node_modules/.installed  ## Formatting, lint, types, import direction, docstrings
	$(BIN)/python scripts/make_links.py
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd .links && ../$(BIN)/lint-imports --config ../pyproject.toml
	$(BIN)/pydoclint --quiet codet5p model training export lsp_server
	cd $(CLIENT) && npm run --silent check

fix: $(VENV)/.dev  ## Format, and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(VENV)/.dev $(CLIENT)/node_modules/.installed  ## Unit and integration tests
	cd $(CLIENT) && npm test --silent
	$(BIN)/python -m pytest -m "not e2e"

e2e-server: $(VENV)/.dev  ## The installed wheel: real server and command line
	$(BIN)/python -m pytest -m e2e

e2e-editor: $(VENV)/.dev $(CLIENT)/node_modules/.installed  ## The packaged extension in a real VS Code
	cd $(CLIENT) && npm run --silent e2e

e2e-others: $(VENV)/.runtime  ## docs/editors' configurations in real Neovim, Emacs and Helix
	$(CLIENT)/e2e/editors/run.sh

e2e: e2e-server e2e-editor e2e-others  ## Everything from the outside

coverage: $(VENV)/.dev  ## Unit and integration tests with branch coverage
	$(BIN)/python -m pytest -m "not e2e" --cov --cov-report=term:skip-covered

bench: $(VENV)/.dev  ## Measure latency, memory and search; writes benchmarks/results/
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.search --growth 1000,10000,20000 --encoder artifacts/embedding --output benchmarks/results/search_growth.json

vsix: $(VENV)/.dev  ## The VS Code extension with server and weights, in dist/
	cd $(CLIENT) && npm run --silent vsix

build: $(VENV)/.dev  ## Wheel and sdist in dist/
	$(BIN)/python -m build --outdir dist .

clean:  ## Remove everything that can be made again
	rm -rf $(VENV) .links build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage .hypothesis
	rm -rf $(CLIENT)/node_modules $(CLIENT)/dist $(CLIENT)/server $(CLIENT)/e2e/.cache
