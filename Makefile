# What a developer and a first visitor call. Every target needs only git, make and Python 3.11 with venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
DEMO := $(BIN)/transcoder-tui --data-dir "$(CURDIR)/.demo"

.PHONY: demo demo-stop test test-all faults conformance check bench-worker bench-ffmpeg bench-console format clean

demo: .venv/installed  ## Put the demonstration line-up on air and open the console on it.
	@$(DEMO) worker start
	@$(DEMO) apply data/lineups/demo.yaml
	@$(DEMO)
	@echo "The demonstration goes on without the console. End it with: make demo-stop"

demo-stop: .venv/installed  ## Stop the demonstration's channels and its worker.
	@$(DEMO) worker stop --channels || test $$? -eq 5  # 5: no worker, so there is nothing to stop

test: check  ## Run everything that must hold.
	$(BIN)/pytest -n 4 --dist loadfile

test-all: check  ## Run every test there is, with both FFmpegs: some 40 minutes.
	LONG=all FFMPEGS=both FAULTS=all $(BIN)/pytest -n 4 --dist worksteal

faults: .venv/installed-dev  ## Break everything that can break, and print what it cost: some ten minutes.
	FAULTS=all LONG=all $(BIN)/pytest -n 4 --dist worksteal tests/faults

conformance: .venv/installed-dev  ## Check every input, codec and output with the analysers of others: some 20 minutes.
	FFMPEGS=both $(BIN)/pytest -n 3 --dist worksteal tests/conformance tests/integration/ffmpeg

check: .venv/installed-dev  ## Run linter, type checker and the import rules.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench-worker: .venv/installed  ## Measure the worker with up to 1000 channels, and supervisord next to it: some 8 minutes.
	$(BIN)/python tests/bench/bench_worker.py $(BENCH)

bench-ffmpeg: .venv/installed  ## Measure what a ladder costs in one FFmpeg and in four, and how it looks: some 12 minutes.
	$(BIN)/python tests/bench/bench_ffmpeg.py $(BENCH)

bench-console: .venv/installed  ## Measure the console beside a bare app and DataTable: some 6 minutes.
	$(BIN)/python tests/bench/bench_console.py $(BENCH)

format: .venv/installed-dev  ## Lay the code out.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## Remove what the other targets made; a running demonstration must be stopped first.
	rm -rf .venv .demo build dist

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
