# Everything a contributor needs. `make` lists the targets; each one sets up .venv by itself.

VENV    ?= .venv
PYTHON  ?= python3
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
# The CPU build of PyTorch on Linux, where the default build brings gigabytes of GPU libraries.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Two processes test faster than one; more need more memory than they save time.
JOBS    ?= 2
ARGS    ?=

# One thread per process: two threads on a busy machine are slower than one, and results stay the same bit for bit.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-peers test-integrations check format docs bench reproduce new-regularizer clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with the versions of constraints.txt

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@sh scripts/setup.sh "$(PYTHON)" "$(VENV)" "$(TORCH_INDEX)"
	@touch $@

demo: $(READY) ## study bundled data that lie, in little over a minute; says where report and bundle are
	@$(BIN)/temperance demo $(ARGS)

test: $(READY) ## the fast tests
	@$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --dist loadfile $(ARGS)

test-all: $(READY) ## all tests, slow and statistical ones too
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-peers: $(READY) ## our figures against other packages on the same tensors, where they are installed
	@$(BIN)/python -m pytest -m peers -rs $(ARGS)

test-integrations: $(READY) ## the frameworks that train: Trainer, accelerate, PEFT and others, against the real packages
	@$(BIN)/python -m pytest tests/integrations $(ARGS)

check: $(READY) ## lint, format, types, import rules, circles, docstrings, fresh docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_circles.py
	@$(BIN)/python scripts/check_docstrings.py
	@$(BIN)/python scripts/make_docs.py --check

format: $(READY) ## sort imports and format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY) ## write the generated pages of docs/, and build the site of all pages into site/
	@$(BIN)/python scripts/make_docs.py
	@$(BIN)/python scripts/make_site.py

bench: $(READY) ## measure what the README claims (long; ARGS="--data DIR" where a script takes it)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script $(ARGS) || exit 1; done

reproduce: $(READY) ## reproduce twelve published results in shape; under 15 minutes (ARGS=--list: show the record)
	@$(BIN)/python -m benchmarks.reproduce $(or $(ARGS),--fresh)

new-regularizer: $(READY) ## write the four files of a new technique: NAME=MyDropout FAMILY=units
	@$(BIN)/python scripts/new_regularizer.py "$(NAME)" --family "$(or $(FAMILY),units)"
	@$(BIN)/python scripts/make_docs.py

clean: ## take away .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
