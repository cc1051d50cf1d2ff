# Two commands are enough: `make reproduce` and `make test`. Each may be interrupted, and repeated, at any time.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?= quick
RECORDS ?= runs/records
PYTEST_ARGS ?=
BATCH_PROFILE ?= local
BATCH_ARGS ?=
TABLES ?=
DEVICE ?= auto
FAILED ?= report
GPU_DEVICE ?= cuda
GPU_RECORDS ?= data/records
GPU_BENCH ?= --rounds 6 --only steps --only networks
GPU_PROFILE ?= paper
GPU_SECONDS ?= 3600
GPU_OUT ?= runs/gpu

# The environment is whole when it holds a stamp named after all that it was made from, its place included.
STAMP := $(VENV)/complete-$(shell (pwd; cat constraints.txt pyproject.toml) | cksum | tr ' ' '-')
PIP := $(BIN)/python -m pip --disable-pip-version-check

export PYTHONNOUSERSITE := 1
export PIP_REQUIRE_VIRTUALENV := 1
unexport PYTHONPATH PYTHONHOME

SNAKEMAKE = $(BIN)/python -m snakemake --workflow-profile workflow/profiles/$(BATCH_PROFILE) \
 --config profile=$(PROFILE) records=$(RECORDS) device=$(DEVICE) failed=$(FAILED) tables='$(TABLES)'

.PHONY: help environment reproduce batch test lint book pdf links bench gpu clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | while IFS='	' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

environment: $(STAMP) ## Create or complete .venv, every version as in constraints.txt

# A half-made environment is completed: an unusable one is made anew, and a package whose installation was cut off
# (its list of files, RECORD, is written last) is installed again.
$(STAMP):
	@test -n "$(PYTHON)" || { echo "No python3.11 was found: install it, or name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, but $(PYTHON) is " + sys.version.split()[0])'
	@rm -f $(VENV)/complete-*
	@$(PIP) --version >/dev/null 2>&1 || { echo "Making $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); }
	@find $(VENV) -type d -name '*.dist-info' ! -exec test -e '{}/RECORD' ';' -prune -exec rm -rf '{}' +
	@echo "Installing into $(VENV): the first time this fetches some 3 GB and takes several minutes ..."
	@$(PIP) install --quiet -c constraints.txt pip setuptools wheel
	@PYTHONWARNINGS=ignore $(PIP) install --no-build-isolation -c constraints.txt -e '.[book,own,search,batch,test,lint]'
	@touch $@

reproduce: environment ## Train the quick profile, run the chapters, build the book, print Table 2
	@$(BIN)/python -m snnlib run 2 --profile $(PROFILE) --records $(RECORDS)
	@$(BIN)/python -m book.workflow run --profile $(PROFILE) --records $(RECORDS)
	@page=$$($(BIN)/python -m book.workflow html --profile $(PROFILE)) && \
	 $(BIN)/python -m snnlib table 2 --profile $(PROFILE) --records $(RECORDS) && \
	 echo "The book, with these results: $$page"

# A killed Snakemake leaves its lock behind, which no other process can tell from that of a running one. The lock of
# flock goes with its process: whoever holds it may take away what Snakemake left.
batch: environment ## Train all tables of a profile, run the chapters, build the book: a job an arm (Snakemake)
	@mkdir -p runs && exec 9>runs/batch.lock && \
	 { flock --timeout 10 9 || { echo "Another make batch is under way here."; exit 1; }; } && \
	 if ls .snakemake/locks/* >/dev/null 2>&1; then $(SNAKEMAKE) --quiet all --unlock; fi && \
	 exec $(SNAKEMAKE) $(BATCH_ARGS)

test: environment ## Run the tests that take no longer than a few seconds each; with PYTEST_ARGS=--slow all of them
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: environment ## Check the form of code and texts: rules, layout, imports between rooms, spelling, pairs of the book
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/codespell
	@$(BIN)/python -m book.workflow sync --check

book: environment ## Build the HTML book as published, from the outputs in its notebooks
	@$(BIN)/python -m book.workflow html

pdf: environment ## Build the book and print it as one PDF, with an installed Chromium
	@$(BIN)/python -m book.workflow pdf

links: environment ## Ask whether the addresses in README and book can still be reached
	@$(BIN)/python -m book.workflow links

bench: environment ## Measure speed and memory against plain PyTorch, into benchmarks/results.json
	@$(BIN)/python -m benchmarks

gpu: environment ## On a CUDA machine: its tests, its benchmarks, then what runs are missing, most wanted first
	@mkdir -p $(GPU_OUT)
	@$(BIN)/python -m pytest -q -m cuda
	@$(BIN)/python -m benchmarks --device $(GPU_DEVICE) $(GPU_BENCH) --out $(GPU_OUT)
	@$(BIN)/python -m snnlib run --pending --profile $(GPU_PROFILE) --device $(GPU_DEVICE) --time-budget $(GPU_SECONDS) --records $(GPU_RECORDS) --pack $(GPU_OUT)/records.tar.gz

clean: ## Delete what is built; records, results of runs and .venv stay
	rm -rf book/_build runs/book runs/chapters .pytest_cache .hypothesis
