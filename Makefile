# Needs make and Python 3.11 to 3.14; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
MINUTES ?= 60

# The first interpreter that fits: `python3` may be too old, or too new for the wheels of onnxruntime.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.14 python3.11 python; do \
	$$p -c '$(FITS)' >/dev/null 2>&1 && echo $$p && break; done)
endif

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS := --constraint constraints.txt --build-constraint constraints.txt

.PHONY: help demo test long lint bench soak faults docs release audit clean

help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile
	@echo "Variables: PYTHON=python3.12 picks the interpreter, ARGS=\"...\" is passed on to the command."

demo: $(VENV)/.run ## Stream events through an example graph on an embedded broker
	@$(BIN)/rtml demo $(ARGS)

# Tests on real Kafka mostly wait, so three of them share two cores; what measures or kills has the machine to itself.
# What fails is run once more, and told as "rerun": hundreds of processes on two shared cores miss a bound now and then.
# Bytecode is kept even where the environment forbids it: some hundred tests start a process of their own.
PYTEST := $(BIN)/python -m pytest -q --reruns 1
test long: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev ## Run the tests; with ARGS, those that it names
ifneq ($(ARGS),)
	@$(BIN)/python -m pytest -q $(ARGS)
else
	@$(PYTEST) --numprocesses auto --dist loadfile -m "not alone and not long" --ignore tests/kafka
	@$(PYTEST) --numprocesses 3 --dist loadfile -m "not alone and not long" tests/kafka
	@$(PYTEST) -m "alone and not long" tests/kafka
endif

long: $(VENV)/.dev ## Run the tests that make test leaves out, since they take as long again
	@$(PYTEST) --numprocesses 3 --dist loadfile -m "long and not alone"
	@$(PYTEST) -m "long and alone" tests/kafka

lint: $(VENV)/.dev ## Check style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy --strict worker

bench: $(VENV)/.bench ## Measure the worker beside its floor and its peers; ARGS=--quick: the floor only
	@$(BIN)/python -m bench $(ARGS)

soak: $(VENV)/.bench ## Let a worker run for MINUTES=60; fails if it leaks or loses an event
	@$(BIN)/python -m bench.soak --minutes $(MINUTES) $(ARGS)

faults: export PYTHONDONTWRITEBYTECODE :=
faults: $(VENV)/.dev ## Break workers, brokers and networks while events flow, and count; ARGS=--write: docs/reliability.md
	@$(BIN)/python -m faults $(ARGS)

docs: $(VENV)/.run ## Write the pages of node kinds and the schema of the graph file
	@$(BIN)/rtml nodes --markdown docs/nodes
	@$(BIN)/rtml schema --out graphs/rtml.schema.json

release: $(VENV)/.release ## Build the wheel and the list of the packages it runs with (CycloneDX), into dist/
	@$(BIN)/python -m hatchling build --target wheel --directory dist
	@$(BIN)/cyclonedx-py environment $(VENV)-release/bin/python --pyproject pyproject.toml \
		--output-reproducible --output-file dist/rtml.cdx.json
	@echo "dist/rtml.cdx.json" >&2

audit: $(VENV)/.release ## Ask the Python Package Index for known vulnerabilities of those packages
	@$(BIN)/pip-audit --strict --skip-editable --path $$($(VENV)-release/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

clean: ## Remove the environment and the caches
	@rm -rf $(VENV) $(VENV)-release dist .hypothesis .mypy_cache .pytest_cache .ruff_cache

# `--clear`, so that a changed pin leaves nothing behind. The pip inside may be too old for dependency groups.
$(VENV)/.run: pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c '$(FITS)' || { echo "Python 3.11 to 3.14 is needed; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Installing rtml into $(VENV) (once, about half a minute) ..." >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --constraint constraints.txt --upgrade pip
	@$(PIP) install $(PINS) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing the tools for tests and checks into $(VENV) (once, about a minute) ..." >&2
	@$(PIP) install $(PINS) --group dev
	@touch $@

# An environment with nothing but what a user gets, so that the lists do not tell of the tools.
$(VENV)/.release: $(VENV)/.run
	@$(PIP) install $(PINS) --group release
	@$(PYTHON) -m venv --clear $(VENV)-release
	@$(PIP) --python $(VENV)-release/bin/python install $(PINS) .
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(PIP) install $(PINS) --group bench
	@touch $@
