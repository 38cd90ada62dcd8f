# The commands of the project. `make demo` and `make test` need only Python >= 3.11 and the package index.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: help demo demo-network demo-identity test test-engines check format lock sbom reference new-app clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.venv/.runtime: requirements.lock pyproject.toml tools/bootstrap.py
	@test -n "$(PYTHON)" || { echo "Hansa needs Python 3.11 or newer; none was found. Install it, or say make PYTHON=/path/to/python3."; exit 2; }
	@$(PYTHON) tools/bootstrap.py runtime

.venv/.dev: requirements-dev.lock pyproject.toml tools/bootstrap.py
	@test -n "$(PYTHON)" || { echo "Hansa needs Python 3.11 or newer; none was found. Install it, or say make PYTHON=/path/to/python3."; exit 2; }
	@$(PYTHON) tools/bootstrap.py dev

demo: .venv/.runtime  ## A league on this machine that issues, refuses and proves real invoices
	@$(BIN)/hansa demo $(ARGS)

demo-network: .venv/.runtime  ## Four validators: invoices go on while one of them is killed
	@$(BIN)/hansa demo --network $(ARGS)

demo-identity: .venv/.runtime  ## Seen once in person: then a business in two cities, a doctor, no form twice
	@$(BIN)/hansa demo identity $(ARGS)

check: .venv/.dev  ## The fast lane: format, lint, types, import directions, house rules, unit tests
	$(BIN)/ruff format --check src tests tools
	$(BIN)/ruff check src tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	$(BIN)/python tools/tidy.py
	$(BIN)/python tools/consensus.py
	$(BIN)/python tools/generate_reference.py --check
	$(BIN)/python tools/generate_abci.py --check
	$(BIN)/python tools/test_prerequisites.py
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow"

test: check  ## Everything, as CI runs it
	$(BIN)/python tools/test_prerequisites.py --engine
	$(BIN)/python tools/test_prerequisites.py --browser
	$(BIN)/pytest -q -n 2 --dist loadfile -m slow

test-engines: .venv/.dev  ## The tests of the engine against each version of CometBFT that is supported
	$(BIN)/python tools/test_prerequisites.py --engines
	HANSA_TEST_ENGINES="v0.38.25 v0.39.4 v0.40.0" $(BIN)/pytest -q -m slow tests/comet

format: .venv/.dev  ## Format the code
	$(BIN)/ruff format src tests tools
	$(BIN)/ruff check --fix src tests tools

lock: .venv/.dev  ## Lock the dependencies anew, with hashes; then make sbom
	$(BIN)/python tools/lock.py
	@echo "Locked. What is installed here is still the old: make .venv/.dev, then make sbom."

sbom: .venv/.dev  ## Write docs/sbom.cdx.json of the locks (CycloneDX), and judge the licences
	$(BIN)/python tools/sbom.py

reference: .venv/.dev  ## Write docs/reference and schemas from the applications
	$(BIN)/python tools/generate_reference.py

new-app: .venv/.dev  ## Write the rooms of a new application: make new-app name=food_trace
	@$(BIN)/python tools/new_app.py $(name)

clean:  ## Remove what was made here, but no league
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
