# `make` lists what there is. Everything runs in .venv, from the versions in requirements.lock.
PYTHON ?= python3
PROFILE ?= quick
NOTEBOOK ?=
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help report verify test lab lint lock audit clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: $(READY)  ## execute the notebooks, write reports/quick/index.html (PROFILE=full, NOTEBOOK=name)
	@$(BIN)/python -m ae_lab report --profile $(PROFILE) $(addprefix --notebook ,$(NOTEBOOK))

verify: $(READY)  ## run a profile and compare its figures with reports/reference.json
	@$(BIN)/python -m ae_lab verify --profile $(PROFILE)

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest

lab: $(READY)  ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab notebooks

lint: $(READY)  ## check code and notebooks with ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

lock: $(READY)  ## renew requirements.lock from pyproject.toml
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra test --extra build --universal --python-version 3.11 \
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
