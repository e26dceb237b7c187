# On a fresh machine: make demo, make test. Everything runs in .venv, with the CPU build of torch pinned in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint check bench docs format clean

demo: $(READY)
	$(BIN)/tsformers backtest pipelines/quickstart.toml
	@echo "The report: runs/quickstart/report.html"

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -P -m pytest -q -m "not slow" -n auto --dist loadfile $(ARGS)

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

docs: $(READY)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict --site-dir build/site

clean:
	rm -rf .venv build dist *.egg-info runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
