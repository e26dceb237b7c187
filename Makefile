# On a fresh machine: make demo, make test. Everything runs in .venv, with the CPU build of torch pinned in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BIN3 := .venv-pandas3/bin
READY3 := .venv-pandas3/.ready

.PHONY: demo test test-pandas3 test-pandas3-fast lint check bench docs format clean

demo: $(READY)
	$(BIN)/tsformers backtest pipelines/quickstart.toml
	@echo "The report: runs/quickstart/report.html"

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -P -m pytest -q -m "not slow" -n auto --dist loadfile $(ARGS)

# The suite with pandas 3 and without GluonTS, in an environment of its own; -fast runs what reads frames and files.
test-pandas3: $(READY3)
	OMP_NUM_THREADS=1 $(BIN3)/python -P -m pytest -q -m "not slow" -n auto --dist loadfile $(ARGS)

test-pandas3-fast: $(READY3)
	$(MAKE) test-pandas3 ARGS="tests/data tests/calendar tests/preprocessing tests/datasets tests/storage tests/test_readme.py $(ARGS)"

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

# make bench ARGS=windows runs one benchmark and writes benchmarks/results/windows.json; ARGS=--list lists them; ARGS="--threads 2 lru" sets threads.
bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	touch $(READY)

$(READY3): pyproject.toml constraints.txt
	test -x $(BIN3)/python || $(PYTHON) -m venv .venv-pandas3
	$(BIN3)/pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN3)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]' 'pandas>=3'
	touch $(READY3)

docs: $(READY)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict --site-dir build/site

clean:
	rm -rf .venv .venv-pandas3 build dist *.egg-info runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
