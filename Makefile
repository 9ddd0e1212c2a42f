# Two commands for everybody: `make demo` and `make test`. Set-up prints to stderr, so that stdout is the result alone.
PYTHON ?= python3
ARGS ?=
DATABASE ?= sqlite
VENV := .venv
BIN := $(VENV)/bin
# Hundreds of processes import the same modules, here and in the tests: they are compiled once, also where the
# environment says that nothing is kept.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test soak check docs reference changelog format lock bench texts clean

demo: $(VENV)/.installed
	@$(BIN)/bothways demo $(ARGS)

# DATABASE=postgresql keeps the tests' hubs in a PostgreSQL that comes with the wheels.
test: $(VENV)/.installed-dev
	BOTHWAYS_TEST_DATABASE=$(DATABASE) $(BIN)/pytest --numprocesses 4 --dist worksteal $(ARGS)

# All of it and what takes longer, and chance rather than a fixed path: the properties, with other examples each time.
soak: $(VENV)/.installed-dev
	BOTHWAYS_TEST_DATABASE=$(DATABASE) $(BIN)/pytest --numprocesses 4 --dist worksteal -m "" --hypothesis-profile explore $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_layout.py

# The site, for a disk or any web server. A running hub serves the same at /docs/.
docs: reference
	@$(BIN)/python -m bothways.manual.build build/docs

# The pages and drawings that are made of the code, and the links by which all pages are in the package.
reference: $(VENV)/.installed
	@$(BIN)/python -m bothways.reference.write docs

# Joins the fragments of changes/ into CHANGELOG.md: make changelog VERSION=0.2.0
changelog: $(VENV)/.installed
	@$(BIN)/python -m bothways.reference.changelog "$(VERSION)"

format: $(VENV)/.installed-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# Brings the texts that templates name into the catalogue, and takes those out that none does.
texts: $(VENV)/.installed-dev
	$(BIN)/python -m bothways.reference.texts

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m bench $(ONLY) $(ARGS)

# Needs uv on PATH. No index address goes into the files: whoever installs takes the packages from where they trust.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--extra hub --group build pyproject.toml -o requirements/hub.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--extra hub --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		--group build pyproject.toml -o requirements/base.txt

clean:
	rm -rf $(VENV)

# `.made` stands for a whole environment: one whose making was interrupted is made anew.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bothways needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) ..." >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements/hub.txt pyproject.toml
	@echo "Installing what is locked in requirements/hub.txt ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/hub.txt >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.txt
	@echo "Installing what is locked in requirements/dev.txt ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt >&2
	@touch $@
