# Every command a contributor needs is one word; CI runs the same words.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 python))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# installs as pip does, hashes and all, in a tenth of the time; it hears of pip's variables, but not of pip's files
UV := UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$PIP_INDEX_URL}" UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" \
	$(BIN)/uv pip install --quiet --python $(BIN)/python

# ends with this make, however that ends
TIED := exec $(BIN)/python -I -S shared/livesegments/runtime/embedded/leash.py $$PPID

# every platform and every Python from 3.11 on, with hashes, and without the index that it came from
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	pyproject.toml --output-file requirements.lock
# of these, what the services of an image need
RUN_LOCK := $(subst --all-extras,--extra ingest --extra evaluator --extra api --extra notify --extra console --extra cli \
	--constraints requirements.lock,$(subst requirements.lock,deploy/requirements.lock,$(LOCK)))

CRATE := services/evaluator/kernel
KERNEL := services/evaluator/livesegments/evaluator/kernel/_native.abi3.so

# hundreds of processes import the same sources: where bytecode may not be kept, each of them compiles all of it anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup up demo test long check format fuzz bench chaos client screenshots lock wheel clean

help:  ## these words
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(VENV)/ready $(VENV)/kernel  ## make the environment in .venv (the others do it by themselves)

$(VENV)/ready: requirements.lock pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'livesegments needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@echo 'installing the locked requirements into $(VENV) (once)'
	@awk '/^[^ ]/ { ours = /^uv==/ } ours' requirements.lock >$(VENV)/uv.lock
	@$(PIP) install --require-hashes -r $(VENV)/uv.lock
	@$(UV) --require-hashes -r requirements.lock || $(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# the native kernel, where cargo is on PATH; without it everything works, only slower
$(VENV)/kernel: $(CRATE)/Cargo.toml $(wildcard $(CRATE)/src/*.rs) | $(VENV)/ready
	@rm -f $(KERNEL)
	@if ! command -v cargo >/dev/null; then echo 'no cargo here: the interpreted core serves, without the native kernel'; \
	elif echo 'building the native kernel (once; it takes minutes)'; CARGO_TARGET_DIR=$(CURDIR)/$(VENV)/crate nice cargo build --release --quiet --jobs $(or $(JOBS),1) --manifest-path $(CRATE)/Cargo.toml; \
	then cp "$$(ls $(VENV)/crate/release/*kernel.so $(VENV)/crate/release/*kernel.dylib 2>/dev/null | head -1)" $(KERNEL); \
	else echo 'the kernel could not be built: the interpreted core serves, without the native kernel'; fi
	@touch $@

up: setup  ## serve until interrupted; data stay in .livesegments (ARGS='--clock log --workers 2')
	@$(TIED) $(BIN)/livesegments up $(ARGS)

demo: setup  ## replay two real logs and prove every membership (KEEP=1 leaves it serving)
	@$(TIED) $(BIN)/livesegments demo $(ARGS)

test: setup  ## all tests, four files at a time (ARGS='-k words' JOBS=1)
	$(BIN)/python -m pytest -n $(or $(JOBS),4) --dist loadfile --no-loadscope-reorder $(ARGS)

long: setup  ## all tests in full: every seed, every case, all that schemathesis tries (ARGS, JOBS)
	LONG=1 $(BIN)/python -m pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/ready  ## linter, formatter, types, who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry shared services

format: setup  ## what the checks would have you change
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: setup  ## decoders, the api, then core against oracle, with fresh seeds until one fails or it is stopped (SEED=n: one again)
	@if command -v cargo >/dev/null; then CARGO_TARGET_DIR=$(CURDIR)/$(VENV)/crate nice cargo build --profile checked --quiet --manifest-path $(CRATE)/Cargo.toml \
		&& $(BIN)/python -m tests.properties.decoders --library $(VENV)/crate/checked/libkernel.so $(if $(SEED),--seed $(SEED) --rounds 1,--seconds 3600); fi
	FUZZ_SEED=$(or $(SEED),$$(date +%N)) $(BIN)/python -m pytest -k 'mutated or schemathesis' tests/wire tests/services/api
	LONG=1 $(BIN)/python -m pytest tests/simulation
	$(BIN)/python -m tests.properties.fuzz $(SEED)

bench: setup  ## the figures, into bench/RESULTS.md
	$(BIN)/python -m bench $(ARGS)

chaos: setup  ## kill what can be killed, in full
	$(BIN)/python -m tests.chaos $(ARGS)

client: setup  ## the types of the client's answers anew from OpenAPI
	$(BIN)/python -m tests.client.types

screenshots: setup  ## the pictures in docs/pictures anew, of the demo's data (needs Chromium)
	$(BIN)/python -m tests.pictures $(ARGS)

lock: setup  ## requirements.lock anew from pyproject.toml: what is pinned stays (ARGS='--upgrade')
	$(LOCK) $(ARGS)
	$(RUN_LOCK)

wheel: setup  ## a wheel in dist/, with the native kernel where it was built, tried in an environment of its own
	rm -rf dist
	$(BIN)/hatchling build -t wheel -d dist
	$(BIN)/python -m tests.wheel dist/*.whl

clean:  ## remove the environment and all caches; data stay
	rm -rf $(VENV) $(KERNEL) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
