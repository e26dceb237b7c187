# make demo, make test: the two commands on a fresh machine. Everything runs in .venv, with the CPU build of torch that constraints.txt names.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready


.PHONY: demo test lint check bench docs format clean

demo: $(READY)
	$(BIN)/tsformers backtest pipelines/quickstart.toml
	@echo "The report: runs/quickstart/report.html"

test: $(READY)
	$(BIN)/python -P -m pytest -q -m "not slow" $(ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

# make bench ARGS=windows: one of them, its rows in benchmarks/results/windows.json; ARGS=--list: what there is; ARGS="--threads 2 lru".
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
