# Recipes. `make` alone lists them. Each installs what it needs, in .venv, and nothing outside the checkout.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PROJECTS := pyproject.toml packages/whimbrel-flytekit/pyproject.toml
EDITABLE := --quiet --no-deps --no-build-isolation --editable . --editable packages/whimbrel-flytekit

# The console is TypeScript; its build is served by `whimbrel up`, and is no part of the repository.
CONSOLE := src/whimbrel/server/console/index.html
CONSOLE_SOURCES := $(shell find console/src console/public -type f) $(addprefix console/,index.html vite.config.ts tsconfig.json)
NODE_MODULES := console/node_modules/.package-lock.json

# The tiers that cost seconds, for `make test-py`.
FAST_TIERS := $(wildcard tests/unit tests/contract tests/laws)

# `uv pip` writes no byte code by itself: without it every first command would pay for compiling its imports.
PIP_INSTALL = VIRTUAL_ENV="$(CURDIR)/$(1)" $(UV) pip install --quiet --compile-bytecode --require-hashes

# Where pythonX.Y is: on PATH if it starts there (a shim may not), else in pyenv's usual place.
define FIND_PYTHON
for candidate in python$(PY) "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(PY).*/bin/python; do \
  if "$$candidate" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(PY)")' 2>/dev/null; then \
    found=$$("$$candidate" -c 'import sys; print(sys.executable)'); break; \
  fi; \
done; \
[ -n "$${found:-}" ] || { echo "python$(PY) is not on this machine" >&2; exit 1; }
endef

##@ Use
.PHONY: help
help: ## List the recipes
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(VENV)/.installed ## Make .venv with whimbrel and whimbrel-flytekit, editable

.PHONY: console
console: $(CONSOLE) ## Build the console (it needs node and npm)

.PHONY: demo
demo: install ## Run the demonstration: a workflow, killed and resumed
	$(BIN)/python examples/run_demo.py

##@ Work
.PHONY: dev
dev: $(VENV)/.dev ## Add to .venv what tests and checks need

.PHONY: test
test: dev $(CONSOLE) browser ## Run every test (ARGS="tests/unit -k name" for some)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: browser
browser: # What the tests of the console are driven in
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

.PHONY: test-py
test-py: dev ## Run the fast tests on another interpreter: make test-py PY=3.12
	@[ -n "$(PY)" ] || { echo "say which: make test-py PY=3.12" >&2; exit 2; }
	@$(MAKE) --no-print-directory .venv-$(PY)/.dev
	.venv-$(PY)/bin/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" $(FAST_TIERS) $(ARGS)

.PHONY: laws
laws: dev ## Try the laws of durability on other schedules: make laws MINUTES=5
	WHIMBREL_LAWS_MINUTES=$(or $(MINUTES),1) $(BIN)/python -m pytest -q -s -o faulthandler_timeout=0 tests/laws/test_schedules.py -k for_minutes
	$(BIN)/python -m pytest -q tests/laws/test_random_programs.py --hypothesis-profile=explore

.PHONY: check
check: dev $(NODE_MODULES) ## Format, lint, types, import contracts, dead code: all of them must pass
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	cd console && npm run --silent check && npm run --silent test

.PHONY: fmt
fmt: dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: docs
docs: dev ## Write docs/reference anew, from the code
	$(BIN)/python -m scripts.reference_docs
	$(BIN)/python -m tests.integration.differential.table

.PHONY: console-api
console-api: dev $(NODE_MODULES) ## Write the console's client of REST anew, from the server's structs
	$(BIN)/python -m scripts.console_api
	cd console && node scripts/api.mjs

.PHONY: chaos
chaos: dev ## Kill processes at random moments, and judge the histories (KILLS=2000, SEED=n)
	KILLS=$(or $(KILLS),2000) SEED=$(or $(SEED),$$RANDOM) $(BIN)/python -m pytest -s tests/e2e/chaos $(ARGS)

.PHONY: bench
bench: install ## Run the benchmarks (ARGS="name" for one)
	$(BIN)/python benchmarks/run.py $(ARGS)

##@ Ship
.PHONY: wheels
wheels: install $(CONSOLE) ## Build both wheels into dist/ and try them in an empty environment
	rm -rf dist .venv-wheels
	$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist .
	$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist packages/whimbrel-flytekit
	$(UV) venv --quiet --python $(BIN)/python .venv-wheels
	$(call PIP_INSTALL,.venv-wheels) --requirement requirements/runtime.txt
	VIRTUAL_ENV="$(CURDIR)/.venv-wheels" $(UV) pip install --quiet --no-deps dist/*.whl
	cd .venv-wheels && bin/python -I -c 'import whimbrel, flytekit, union; print(whimbrel.__version__, whimbrel.__file__)'
	test -f .venv-wheels/lib/python*/site-packages/whimbrel/server/console/index.html
	cd .venv-wheels && bin/whimbrel --help >/dev/null && bin/pyflyte --help >/dev/null && bin/union --help >/dev/null
	ls dist

$(NODE_MODULES): console/package.json console/package-lock.json
	@command -v npm >/dev/null || { echo "the console needs node and npm: install nodejs" >&2; exit 1; }
	cd console && npm ci --no-audit --no-fund --loglevel=error
	touch $@

$(CONSOLE): $(NODE_MODULES) $(CONSOLE_SOURCES)
	cd console && npm run --silent build

# dev.txt first: the others are held to the versions that the tests ran with.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-emit-package whimbrel --custom-compile-command "make requirements" $(if $(UPGRADE),--upgrade)
.PHONY: requirements
requirements: $(VENV)/.bootstrap ## Compile the pins again (UPGRADE=1 for newer versions)
	$(COMPILE) --output-file requirements/bootstrap.txt requirements/bootstrap.in
	$(COMPILE) --output-file requirements/dev.txt --all-extras $(PROJECTS) requirements/dev.in
	$(COMPILE) --output-file requirements/flytekit.txt requirements/flytekit.in
	$(COMPILE) --output-file requirements/runtime.txt --constraint requirements/dev.txt $(PROJECTS) requirements/build.in

.PHONY: clean
clean: ## Remove environments, caches and built files
	rm -rf $(VENV) .venv-* dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: python
python: ## Print where an interpreter is: make python PY=3.12
	@$(FIND_PYTHON); echo "$$found"

# ---------------------------------------------------------------- stamps: nothing is done twice

$(VENV)/.bootstrap: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "whimbrel needs Python 3.11 or newer: make PYTHON=python3.12")'
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(VENV)/.installed: $(VENV)/.bootstrap requirements/runtime.txt $(PROJECTS)
	$(call PIP_INSTALL,$(VENV)) --requirement requirements/runtime.txt
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(UV) pip install $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements/dev.txt
	$(call PIP_INSTALL,$(VENV)) --requirement requirements/dev.txt
	@touch $@

.venv-%/.dev: requirements/dev.txt $(PROJECTS) | $(VENV)/.bootstrap
	@$(FIND_PYTHON); [ -x .venv-$*/bin/python ] || $(UV) venv --quiet --python "$$found" .venv-$*
	$(call PIP_INSTALL,.venv-$*) --requirement requirements/dev.txt
	VIRTUAL_ENV="$(CURDIR)/.venv-$*" $(UV) pip install $(EDITABLE)
	@touch $@
