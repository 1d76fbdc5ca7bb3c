# Everything starts here: `make` lists the targets. Needs make and Python >= 3.11 with pip and venv; no git, no root.
#
# Rules of this file: .venv holds what requirements/ pins and nothing else; a stamp inside it is older than its pins when
# it is stale. `demo` needs the runtime pins only; the other targets add the development pins to the same .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test lint unit wheel bench nightly audit-score mutants pins clean

CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3 python
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c '$(USABLE)' >/dev/null 2>&1 && command -v $(name))))

BIN := .venv/bin
PIP := -m pip --disable-pip-version-check --no-input install --quiet
PROJECT := $(PIP) --no-deps --no-build-isolation --editable .
PYTEST_ARGS ?=
WHEEL_VENV := build/wheel-venv

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# -------------------------------------------------------------------------------------------------------- environments
# A broken .venv (its Python went away) is made anew; one in use is only brought up to date.
define environment
	@test -n "$(PYTHON)" || { echo "make: no Python >= 3.11 with pip and venv found (tried: $(CANDIDATES)); install python3.11 and python3.11-venv, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c '$(USABLE)' 2>/dev/null || { echo "make: $(PYTHON) is older than 3.11, or lacks pip or venv (Debian: install python3-venv)" >&2; exit 1; }
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(1)
endef

.venv/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	$(call environment,.venv)
	@echo "preparing .venv (runtime)"
	@$(BIN)/python $(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(BIN)/python $(PROJECT)
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml
	$(call environment,.venv)
	@echo "preparing .venv (development)"
	@$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@$(BIN)/python $(PROJECT)
	@touch .venv/.runtime $@

$(WHEEL_VENV)/.test: requirements/test.txt
	$(call environment,$(WHEEL_VENV))
	@echo "preparing $(WHEEL_VENV)"
	@$(WHEEL_VENV)/bin/python $(PIP) --require-hashes -r requirements/test.txt
	@touch $@

# ------------------------------------------------------------------------------------------------------------- targets
demo: .venv/.runtime  ## compare the failure, the fix and the proper solution; leaves reports/demo/index.html
	@$(BIN)/cllm compare unguarded model_lock node_zero --preset demo -o reports/demo --overwrite

test: lint unit wheel  ## everything a change must pass: lint, tests, and the tests against the built wheel

lint: .venv/.dev  ## ruff, mypy, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: .venv/.dev  ## the tests, from the checkout (PYTEST_ARGS="-k name" narrows them)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

# The wheel is built from the sdist, so both are known to be whole. The tests are copied to a folder elsewhere, where the
# checkout cannot be imported by accident.
wheel: .venv/.dev $(WHEEL_VENV)/.test  ## build the wheel, install it in an environment of its own, run its tests there
	@rm -rf build/dist
	@$(BIN)/python -m build --no-isolation --outdir build/dist . >build/wheel.log 2>&1 || { cat build/wheel.log >&2; exit 1; }
	@$(WHEEL_VENV)/bin/python $(PIP) --no-deps --force-reinstall build/dist/*.whl
	@checkout="$$PWD"; elsewhere="$$(mktemp -d)"; trap 'rm -rf "$$elsewhere"' EXIT; \
	cp -R tests pyproject.toml "$$elsewhere"; cd "$$elsewhere"; \
	env -u PYTHONPATH "$$checkout/$(WHEEL_VENV)/bin/pytest" -p no:cacheprovider -m wheel $(PYTEST_ARGS)

bench: .venv/.dev  ## the benchmarks
	@$(BIN)/python tests/benchmarks/run.py

nightly: .venv/.dev  ## the long tests, then the benchmarks
	@$(BIN)/python -m pytest -m nightly $(PYTEST_ARGS)
	@$(BIN)/python tests/benchmarks/run.py

mutants: .venv/.dev  ## every mutant under every reduction, and faults put into the checker; reports/mutants/result.json
	@$(BIN)/python -m tests.mutants

audit-score: .venv/.dev  ## precision and recall of the auditor over its corpus, and recall over injected defects
	@$(BIN)/python -m tests.audit.score
	@$(BIN)/python -m tests.audit.variants

# `pip-compile` resolves again what pyproject.toml asks for. Pins hold names, versions and hashes only.
COMPILE := build/pins-venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate
pins:  ## renew requirements/*.txt from pyproject.toml
	$(call environment,build/pins-venv)
	@build/pins-venv/bin/python $(PIP) pip-tools
	@$(COMPILE) --upgrade -o requirements/runtime.txt pyproject.toml
	@$(COMPILE) --upgrade --extra test -c requirements/runtime.txt -o requirements/test.txt pyproject.toml
	@$(COMPILE) --upgrade --extra dev -c requirements/test.txt -o requirements/dev.txt pyproject.toml
	@echo hatchling | $(COMPILE) --upgrade -c requirements/dev.txt -o requirements/build.txt -
	@sed -i '/^--/d' requirements/*.txt  # options of the machine that made them are not pins

clean:  ## remove what make has built, .venv included; reports/ stays
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find cllm_sim real_runtime models tests -name __pycache__ -type d -prune -exec rm -rf {} +
