# The only entry point: make demo | test | check | bench | lock | format | clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 2
export OPENBLAS_NUM_THREADS ?= 2

.PHONY: demo test check format oracle bench eis-peers lock clean help

help:
	@echo "make demo    create $(VENV), install, design the paper's cells, write a report"
	@echo "make test    install the test extra and run all tests"
	@echo "make check   format, lint, types, import contracts, unit tests"
	@echo "make oracle  compare with PyBaMM and pyDRTtools (installs them apart)"
	@echo "make bench   benchmarks with ratios against peers (installs them apart)"
	@echo "make lock    renew requirements.lock from the ranges in pyproject.toml"

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Pinned versions first, then the package itself (editable) on top of them.
$(VENV)/.installed: $(VENV)/.python pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[test]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/equipoise demo --out equipoise-demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/unit tests/arch

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# PyBaMM lives apart (786 MB): it is the oracle and the peer, never a dependency.
.venv-bench/.installed: pyproject.toml requirements.lock
	test -d .venv-bench || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

# One by one: a peer that cannot be installed is left out, and named in the results.
.venv-bench/.installed-peers: .venv-bench/.installed benchmarks/peers.txt
	-grep -v '^#' benchmarks/peers.txt | \
	  xargs -L 1 .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check
	@touch $@

# Impedance peers, apart again (some are GPL): none is ever a dependency. Where they
# cannot be installed the tests that need them say so and skip.
eis-peers: .venv-eis/.installed

.venv-eis/.installed: benchmarks/eis_peers.txt
	-test -d .venv-eis || $(PYTHON) -m venv .venv-eis
	-grep -v '^#' benchmarks/eis_peers.txt | \
	  xargs -L 1 .venv-eis/bin/python -m pip install --quiet --disable-pip-version-check \
	  --retries 1 --timeout 15 && touch $@

oracle: .venv-bench/.installed .venv-eis/.installed
	.venv-bench/bin/python -m pytest -q -m oracle tests/oracle

bench: .venv-bench/.installed-peers .venv-eis/.installed
	.venv-bench/bin/python benchmarks/bench_design.py
	.venv-bench/bin/python benchmarks/bench_engine.py
	.venv-bench/bin/python benchmarks/bench_cycling.py
	.venv-bench/bin/python benchmarks/bench_impedance.py
	.venv-bench/bin/python benchmarks/bench_life.py

lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(VENV)-lock/bin/python -m pip list --format=freeze --exclude equipoise --exclude pip --exclude setuptools | grep -E '^[A-Za-z0-9_.-]+==' | sort -f > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .venv-bench .venv-eis equipoise-demo .pytest_cache .ruff_cache .hypothesis .import_linter_cache
