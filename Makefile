# `make` lists the commands. Everything runs in .venv, with the versions in requirements.lock.
PYTHON ?= python3
PROFILE ?= quick
NOTEBOOK ?=
SEEDS ?= 5
ROW ?=
UPGRADE ?= --upgrade
LONG ?=
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv/.peers
# PyTorch is not in the lock; the bench uses its build for CPUs.
TORCH_CPU := https://download.pytorch.org/whl/cpu
PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin x86_64-pc-windows-msvc
PYTHONS := 3.11 3.12 3.13
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help smoke solved report verify sweep bench test test-all lab cells lint lock platforms audit clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: $(READY)  ## run the notebooks and write reports/quick/index.html (PROFILE=full, NOTEBOOK=name)
	@$(BIN)/python -m ae_lab report --profile $(PROFILE) $(addprefix --notebook ,$(NOTEBOOK))

verify: $(READY)  ## run a profile and compare its results with reports/reference.json
	@$(BIN)/python -m ae_lab verify --profile $(PROFILE)

sweep: $(READY)  ## run the notebooks with SEEDS=5 seeds, for the intervals in the report
	@$(BIN)/python -m ae_lab sweep --profile $(PROFILE) --seeds $(SEEDS) $(addprefix --notebooks ,$(NOTEBOOK))

bench: $(READY)  ## compare training times with PyTorch, JAX and plain Keras (ROW=name, LONG=1)
	@test -e $(PEERS) || $(MAKE) --no-print-directory $(PEERS) || \
	    echo "Some libraries could not be installed; the comparisons with them are skipped."
	@$(BIN)/python -m ae_lab bench $(addprefix --row ,$(ROW)) $(if $(LONG),--long)

test: $(READY)  ## run the fast tests (about four minutes)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser and not cluster and not kernel"

test-all: test  ## run all tests, including the slow ones: training, Chromium, Dask, Jupyter kernels
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or browser or cluster or kernel"

smoke: $(READY)  ## run every notebook for a few seconds, to test that it works
	@$(BIN)/python -m ae_lab report --profile smoke

solved: $(READY)  ## run copies of the notebooks in which every exercise is solved
	@$(BIN)/python tests/solve.py --profile $(PROFILE) $(addprefix --notebook ,$(NOTEBOOK))

lab: $(READY)  ## open the notebooks in JupyterLab
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/jupyter lab notebooks

cells: $(READY)  ## update the stored cell hashes, after a notebook was changed
	@$(BIN)/python -m ae_lab.report.distributed

lint: $(READY)  ## check code and notebooks with ruff, and the wording of texts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python tests/wording.py

lock: $(READY)  ## update requirements.lock and requirements.txt (UPGRADE= keeps the versions)
	@$(BIN)/uv pip compile pyproject.toml --extra test --extra build --extra dev --extra sweep --universal \
	    --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE) --quiet --output-file requirements.lock
	@(echo "# The versions of requirements.lock and the package itself, for use without make; written by make lock."; \
	    sed -n 's/^\([A-Za-z0-9].*\) \\$$/\1/p' requirements.lock; echo "-e .") > requirements.txt

platforms: $(READY)  ## check that the lock has wheels for every platform and Python version
	@for platform in $(PLATFORMS); do for python in $(PYTHONS); do \
	    $(BIN)/uv pip compile requirements.lock --no-deps --only-binary :all: --quiet --no-header \
	        --python-platform $$platform --python-version $$python > .venv/platform.txt || exit 1; \
	    echo "$$platform, Python $$python: $$(grep -c == .venv/platform.txt) wheels"; done; done

audit: $(READY)  ## check every locked dependency for known vulnerabilities
	@$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict

clean:  ## remove the environment and the quick report; keep the data and the full report
	rm -rf .venv reports/quick reports/quick-last-good reports/.build

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python must be 3.11, 3.12 or 3.13, received %d.%d: install one of these, or select it with make PYTHON=python3.12" % sys.version_info[:2] if not (3, 11) <= sys.version_info < (3, 14) else 0)'
	@echo "Installing the locked dependencies into .venv (only once, takes some minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check || (echo "The environment may be from an older lock: run make clean, which removes .venv, then try again."; exit 1)
	@touch $@

$(PEERS): $(READY)
	@echo "Installing PyTorch's CPU build into .venv (only once) ..."
	@$(PIP) install --no-deps --require-hashes --index-url $(TORCH_CPU) -r tests/benchmarks/torch.lock
	@$(PIP) install --no-deps --require-hashes -r tests/benchmarks/peers.lock
	@touch $@
