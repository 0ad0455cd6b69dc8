# Every command a contributor needs is one word; CI runs the same words.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup check format test demo up

setup: $(VENV)/ready

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "livesegments needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked requirements into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup
	$(BIN)/python -m pytest

# Two real logs through a stack of its own, and proof; KEEP=1 leaves it serving.
demo: setup
	@$(BIN)/livesegments demo

# Serves until interrupted; data stay in ./.livesegments.
up: setup
	@$(BIN)/livesegments up
