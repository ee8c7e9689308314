# Every target that needs Python builds .venv first, and again when what it was built from has changed.
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help demo test test-long simulate simulate-mutants crash-sweep seats check run migrate screenshots requirements clean

# The first interpreter on the path that is new enough; say `make PYTHON=/path/to/python …` for another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; done; echo python3)
ARGS ?=
SEEDS ?= 10000
VENV := .venv
BIN := $(VENV)/bin
# A stamp names the folder it was made in, because a virtual environment does not survive being moved.
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
# Unset: whoever wants no compiled files would wait for the same compilation at every start.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

help: ## Print these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(RUNTIME) ## Play the whole story against emulators, with no account anywhere (ARGS=--keep stays up)
	@$(BIN)/doorman demo $(ARGS)

test: $(DEVELOPMENT) ## Run the tests of every change, within minutes (ARGS="tests/core -x" runs some)
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not long" $(ARGS)

test-long: $(DEVELOPMENT) ## Run the tests that search: every screen, every moment the power may go, many stories, PostgreSQL for every walk
	@$(BIN)/python -m pytest -n auto --dist worksteal -m long $(ARGS)

simulate: $(DEVELOPMENT) ## Play made-up histories of the whole core with faults, SEEDS of them, and judge each (ARGS="--seed 7" plays one again)
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

simulate-mutants: $(DEVELOPMENT) ## Plant bugs one after another and have the histories find each
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --mutants $(ARGS)

crash-sweep: $(DEVELOPMENT) ## End the product at every commit and call of what the demo shows: the same end each time
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --crash-sweep $(ARGS)

seats: $(DEVELOPMENT) ## Have a hundred people want ten seats at once, a thousand times over, on both databases
	@SEAT_ROUNDS=1000 $(BIN)/python -m pytest -n 0 tests/billing/test_seats.py -k again_and_again $(ARGS)

check: $(DEVELOPMENT) ## Lint, format, types, import contracts, requirements: every finding of every tool
	@.ci/check

run: $(RUNTIME) ## Start Doorman with the settings in .env
	@$(BIN)/doorman run $(ARGS)

migrate: $(RUNTIME) ## Bring the database in DATABASE_URL up to date
	@$(BIN)/doorman migrate $(ARGS)

screenshots: $(DEVELOPMENT) ## Take the pictures in docs/screenshots again (needs Chromium)
	@SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/walks -m screenshots $(ARGS)

requirements: ## Pin the *.in files again, with hashes (needs uv; ARGS=--upgrade takes newer versions)
	@command -v uv >/dev/null || { echo "Pinning needs uv: see https://docs.astral.sh/uv/" >&2; exit 1; }
	$(COMPILE) $(ARGS) -o requirements.txt requirements.in
	$(COMPILE) $(ARGS) -c requirements.txt -o requirements-dev.txt requirements-dev.in

clean: ## Remove .venv and every cache (databases and .env stay)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist ./*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt pyproject.toml $(shell test "$$(cat $(RUNTIME) 2>/dev/null)" = "$(CURDIR)" || echo moved)
	@PYTHON="$(PYTHON)" .ci/setup requirements.txt $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.txt
	@PYTHON="$(PYTHON)" .ci/setup requirements-dev.txt $@

.PHONY: moved
moved:
