# `make` lists what there is. Everything runs in .venv, from the versions in requirements.lock.
PYTHON ?= python3
PROFILE ?= quick
NOTEBOOK ?=
SEEDS ?= 5
ROW ?=
LONG ?=
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv/.peers
TORCH_CPU := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help report verify sweep bench test test-all lab lint lock audit clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: $(READY)  ## execute the notebooks, write reports/quick/index.html (PROFILE=full, NOTEBOOK=name)
	@$(BIN)/python -m ae_lab report --profile $(PROFILE) $(addprefix --notebook ,$(NOTEBOOK))

verify: $(READY)  ## run a profile and compare its figures with reports/reference.json
	@$(BIN)/python -m ae_lab verify --profile $(PROFILE)

sweep: $(READY)  ## run the notebooks under SEEDS=5 seeds, for the report's intervals
	@$(BIN)/python -m ae_lab sweep --profile $(PROFILE) --seeds $(SEEDS) $(addprefix --notebooks ,$(NOTEBOOK))

bench: $(READY)  ## time our work beside PyTorch, JAX and plain Keras (ROW=name, LONG=1)
	@test -e $(PEERS) || $(MAKE) --no-print-directory $(PEERS) || \
	    echo "The peers could not be installed: the rows against those that lack are skipped."
	@$(BIN)/python -m ae_lab bench $(addprefix --row ,$(ROW)) $(if $(LONG),--long)

test: $(READY)  ## run the fast tests, in under three minutes
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser and not cluster and not kernel"

test-all: test  ## run the slow tests too: training, Chromium, Dask, Jupyter kernels
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or browser or cluster or kernel"

lab: $(READY)  ## open the notebooks in JupyterLab
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/jupyter lab notebooks

lint: $(READY)  ## check code and notebooks with ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

lock: $(READY)  ## renew requirements.lock from pyproject.toml
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra test --extra build --extra sweep --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-annotate --upgrade --output-file requirements.lock

audit: $(READY)  ## look up every locked dependency among the known vulnerabilities
	@$(BIN)/pip install --quiet pip-audit
	@$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict

clean:  ## remove the environment and the quick report, keep data and the published report
	rm -rf .venv reports/quick reports/quick-failed reports/.build

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, received %d.%d: install it, or name one with make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "Installing the locked dependencies into .venv (once, some minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The lock's versions without its hashes, which pip would ask of torch too; "+cpu" goes before PyPI's.
$(PEERS): $(READY)
	@echo "Installing PyTorch's CPU build and JAX into .venv (once) ..."
	@sed -n 's/^\([A-Za-z0-9].*\) \\$$/\1/p' requirements.lock > .venv/constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation \
	    --constraint .venv/constraints.txt --extra-index-url $(TORCH_CPU) -e '.[bench]'
	@touch $@
