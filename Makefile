SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install run examples test unit check format up down bench constraints

# In the clone, so that `modelworks` finds it from here.
run examples up down: export MODELWORKS_HOME ?= $(CURDIR)/.modelworks

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP)  ## Make .venv and install everything, pinned

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

run: install  ## The main job: retrain, shrink, prove and promote on the tweets
	$(BIN)/modelworks run flows/projects/sentiment.yaml

examples: install  ## Every shipped project in full, one after the other
	for project in flows/projects/*.yaml; do $(BIN)/modelworks run $$project || exit $$?; done

test: install  ## All tests: units, then against the real embedded services
	$(BIN)/pytest tests --ignore=tests/stack -m "not slow" -n 2
	$(BIN)/pytest tests/stack -m "not slow"

unit: install  ## Tests that need no service
	$(BIN)/pytest tests --ignore=tests/stack -m "not slow" -n 2

check: install  ## Lint, format and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: install  ## Mend what can be mended by itself
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

up: install  ## Start the embedded services
	$(BIN)/modelworks up

down: install  ## Stop them
	$(BIN)/modelworks down

bench: install  ## Measure the bars (about an hour); results go to tests/benchmarks/
	$(BIN)/python tests/benchmarks/main_job.py

constraints: install  ## Write down the versions that are installed now
	{ head -n 1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu//'; } > constraints.new
	mv constraints.new constraints.txt
