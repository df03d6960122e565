# Everything a developer does has a name here. `make` alone lists them.
# Needs Python 3.11 or newer with venv, make and a C compiler; everything else is set up in .venv.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
PEERS := .venv-peers/bin
READY := .venv/ready
KERNELS := $(wildcard downslope/core/c/*)
PIP := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PIP_OF_PEERS := -m pip install --quiet --disable-pip-version-check --constraint .venv-peers/constraints.txt
WORKERS ?= 2

# An environment without its marker, such as one that is just being made anew, has the machine's own Python: never install there.
export PIP_REQUIRE_VIRTUALENV := 1

# The type checker runs on the Node that its own wheel brings, whatever the machine has.
export PYRIGHT_PYTHON_GLOBAL_NODE := off
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format generate golden pasted bench bench-gpu bench-parts bench-losses accuracy bare fuzz validate-statistics validate-reasons validate-halving clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /: /' | awk -F': ' '{printf "make %-20s %s\n", $$1, $$2}'

setup: $(READY)  ## make .venv with everything that is needed, once

$(READY): pyproject.toml constraints.txt setup.py $(KERNELS)
	@test -n "$(PYTHON)" || { echo "downslope needs Python 3.11 or newer with venv; none was found on PATH" >&2; exit 2; }
	@echo "Setting up .venv (once; a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) setuptools jaxlib
	@$(BIN)/python $(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

.venv-peers/ready: pyproject.toml constraints.txt setup.py $(KERNELS)
	@test -n "$(PYTHON)" || { echo "downslope needs Python 3.11 or newer with venv; none was found on PATH" >&2; exit 2; }
	@echo "Setting up .venv-peers (once; some minutes)"
	@test -x $(PEERS)/python || $(PYTHON) -m venv .venv-peers
	@# PyTorch brings SymPy, which wants an older mpmath than the tests have; so the peers live apart from the tests' packages,
	@# with the mpmath that SymPy chooses. For the truth of `make accuracy` either will do.
	@grep -v '^mpmath==' constraints.txt > .venv-peers/constraints.txt
	@$(PEERS)/python $(PIP_OF_PEERS) setuptools jaxlib
	@$(PEERS)/python $(PIP_OF_PEERS) --no-build-isolation --editable '.[peers]' optax mpmath
	@touch $@

demo: setup  ## compare on two real tables that come with scikit-learn
	$(BIN)/downslope compare demo:diabetes
	$(BIN)/downslope compare demo:breast_cancer

test: setup  ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: setup  ## lint, format, types, generated files fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python docs/generate.py --check

format: setup  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: setup  ## write the stubs and the reference pages anew
	$(BIN)/python docs/generate.py

golden: .venv-peers/ready  ## compute the stored reference numbers anew, with other frameworks
	$(PEERS)/python tests/golden/make.py

pasted: .venv-peers/ready  ## run the code to paste for PyTorch, Keras and optax, and compare where it ends
	KERAS_BACKEND=jax $(PEERS)/python tests/comparison/pasted.py

bench: .venv-peers/ready  ## measure against the peers, side by side; QUICK=1 only shows that it runs
	$(PEERS)/python -m benchmarks

bench-gpu: setup  ## measure on a GPU; without one it says so and exits 2; QUICK=1 runs everything small on what there is
	$(BIN)/python -m benchmarks card

bench-losses: setup  ## memory and time of cross-entropy over very many classes
	$(BIN)/python -m benchmarks.large_classes

bench-parts: .venv-peers/ready  ## losses and optimizer steps alone beside the peers; QUICK=1 only shows that it runs
	$(PEERS)/python -m benchmarks losses steps

accuracy: .venv-peers/ready  ## error of every loss in units of the last place, beside PyTorch, optax and Keras
	KERAS_BACKEND=jax $(PEERS)/python benchmarks/accuracy.py

validate-statistics: setup  ## simulate comparisons whose truth is known
	$(BIN)/python -m benchmarks.validate_statistics

validate-reasons: setup  ## compare on tables whose reasons are known, 20 seeds each
	$(BIN)/python -m benchmarks.validate_reasons

validate-halving: setup  ## the second tier of tuning with and without halving, on the shared tables
	$(BIN)/python -m benchmarks.validate_halving

fuzz: setup  ## feed broken tables to the reader for a minute
	$(BIN)/python tests/fuzz_read.py --seconds 60

bare: pyproject.toml  ## install without the development packages and try it
	rm -rf .venv-bare
	$(PYTHON) -m venv .venv-bare
	.venv-bare/bin/python $(PIP) .
	.venv-bare/bin/downslope --help
	cd .venv-bare && bin/downslope compare demo:iris --losses cross_entropy --optimizers sgd,adam --epochs 10 --out bare --fresh
	rm -rf .venv-bare

clean:  ## remove what the targets above have made
	rm -rf .venv .venv-peers .venv-bare build dist *.egg-info .pytest_cache .ruff_cache .hypothesis *-downslope
