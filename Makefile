# A fresh machine needs Python 3.11 or newer and make; everything else goes into .venv.
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
BUILT_OF := pyproject.toml setup.py lossctl/sums/_kernels.c constraints.txt

.PHONY: demo test coverage fuzz lowest lint types generated docs site bench check wheel clean

demo: $(VENV)/.installed
	$(BIN)/lossctl eval sample_data/regression.csv --loss huber --color auto --format table

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal $(COVERAGE)

# Random command lines, Arrow types, races and bytes, for a quarter of an hour each; the tests run a little of each.
fuzz: $(VENV)/.fuzz
	$(BIN)/python tests/fuzz/fuzz_commands.py --runs 5000 --seed $(or $(SEED),1)
	$(BIN)/python tests/fuzz/fuzz_types.py
	$(BIN)/python tests/fuzz/fuzz_api.py --seconds 900 --seed $(or $(SEED),1)
	$(BIN)/python tests/fuzz/fuzz_readers.py --seconds 900

# A quick part of the tests, with the lowest versions that pyproject.toml allows, and without the compiled sums.
lowest: $(LOWEST)/.installed
	LOSSCTL_SUMS=numpy $(LOWEST)/bin/python -m pytest -n 2 --dist loadfile -m lowest \
		$(sort $(shell grep -rl --include='*.py' mark.lowest tests))

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet --no-progress --min-severity medium .github action.yml
	$(BIN)/hadolint Dockerfile

types: $(VENV)/.dev
	$(BIN)/mypy

# What is generated is what would be generated.
generated: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check
	$(BIN)/python sample_data/make.py --check
	$(BIN)/python sample_data/answers.py --check
	$(BIN)/python tests/reference/make_reference.py --check

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/pictures.py

# The documentation as a web site, in site/. A link that leads nowhere, or what would be fetched from elsewhere, is an error.
site: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

# Writes the figures of docs/performance.md, from 10 GB of data. To print some only: make bench ARGS=--quick
bench: $(VENV)/.bench
	$(BIN)/python benchmarks/compare.py $(or $(ARGS),--large --page docs/performance.md)

wheel: $(VENV)/.dev
	$(BIN)/python -m build --outdir dist .

# What continuous integration runs.
check: lint types generated site
	$(MAKE) test

# The same tests with what they cover, which takes a third longer and is no part of every run.
coverage:
	$(MAKE) test COVERAGE="--cov --cov-report=term"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(BUILT_OF) $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(BUILT_OF) $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	touch $@ $(VENV)/.installed

$(VENV)/.bench: $(BUILT_OF) $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@ $(VENV)/.installed

$(VENV)/.fuzz: pyproject.toml constraints.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,fuzz]'
	touch $@

$(LOWEST)/.installed: pyproject.toml constraints.txt .ci/lowest.py
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python .ci/lowest.py >$(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/constraints.txt --editable '.[dask,plot,remote]' \
		hypothesis jsonschema-rs mpmath pytest pytest-xdist scikit-learn statsmodels
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST) benchmarks/data build dist site lossctl/sums/*.so *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
