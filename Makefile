# Everything a person does with this project, one word each. CI calls the same targets.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
LOCK = uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header

.PHONY: help run test check bench soak language migration lock clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.run  ## set up and start everything: simulator, bot, store in var/
	@$(BIN)/linkline run

test: $(VENV)/.dev  ## set up and pass the tests, SQLite and PostgreSQL
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto --dist worksteal
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=90

check: $(VENV)/.dev  ## format, lint, types, language
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m tests.language

bench: $(VENV)/.dev  ## speed, as ratios to peers and bare limits in the same run
	$(BIN)/python -m tests.bench

soak: $(VENV)/.dev  ## kills, silent workers, refusals, outages, full disks, two worlds, every talk everywhere: three hours or so
	$(BIN)/python -m tests.soak
	LINKLINE_SCENARIOS=1000 $(BIN)/python -m pytest -n auto tests/test_nameless.py tests/test_orders.py
	LINKLINE_CROSS=1 $(BIN)/python -m pytest -n auto --dist worksteal \
		tests/test_conversations.py tests/test_discretion.py tests/test_rehearsal.py
	LINKLINE_YEARS=5 $(BIN)/python -m pytest -n auto tests/test_years.py

migration: $(VENV)/.dev  ## make a migration from bot/models.py: make migration NAME="add sessions"
	$(BIN)/alembic revision --autogenerate -m "$(NAME)"

lock: $(VENV)/.dev  ## pin the dependencies anew, with hashes
	$(BIN)/pip install --quiet uv
	echo 'setuptools>=75' | $(BIN)/$(LOCK) pyproject.toml - -o requirements.txt
	echo 'setuptools>=75' | $(BIN)/$(LOCK) --extra dev pyproject.toml - -o requirements-dev.txt

clean:  ## remove the environment and caches; var/ (your data) stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info .coverage*

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up (once, a minute or two) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
