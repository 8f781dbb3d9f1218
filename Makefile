# `make` alone lists the targets. `make run` and `make test` need Python 3.11 or newer with pip; they set up .venv themselves.
.DEFAULT_GOAL := help
.PHONY: help run test screenshots soak mutants lint types docs messages css bench torture fuzz lock
SHELL := /bin/sh

# The first Python that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)
CHECKED_PYTHON = $(if $(strip $(PYTHON)),$(PYTHON),$(error No Python 3.11 or newer was found: install one, or name it with PYTHON=/path/to/python make ...))
SET_UP = @$(CHECKED_PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit("Python %d.%d is too old: the panel needs 3.11 or newer, which PYTHON=/path/to/python can name." % sys.version_info[:2])' && $(CHECKED_PYTHON) smmpanel/launch/make_venv.py
BIN = .venv/bin
# Tests choose their own surroundings: a database or broker of this machine must not slip in.
ALONE = env -u DATABASE_URL -u REDIS_URL -u PANEL_DATA_DIR

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

run: ## Run the panel with a demo at http://127.0.0.1:8000 (PORT=, PANEL_DATA_DIR=, PANEL_DEMO=0)
	$(SET_UP)
	@exec $(BIN)/python -m smmpanel.launch

test: ## Run the tests, and those of the pages where a Chromium is found (TESTS="tests/ledger -k wallet" runs some, BROWSER=0 no pages)
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m pytest -n auto --dist loadgroup -m "not browser and not soak" $(TESTS)
	@if [ "$(BROWSER)" = 0 ] || [ -n "$(TESTS)" ]; then exit 0; \
	elif $(ALONE) $(BIN)/python -c 'from tests.browser import chromium; raise SystemExit(chromium() is None)'; then \
		echo "== Pages in a browser"; $(ALONE) $(BIN)/python -m pytest -m browser; \
	else echo "No Chromium was found (PANEL_CHROMIUM may name one): the tests that drive a browser were left out."; fi

screenshots: ## Take pictures of every page, in both sizes and themes (SCENES="orders new-order" takes some, PICTURES=1 the README's)
	$(SET_UP) --dev
	@$(ALONE) SCENES="$(SCENES)" $(BIN)/python -m pytest -q tests/portal/$(if $(PICTURES),pictures,screenshots).py
	@echo "The pictures are in $(if $(PICTURES),docs/pictures/,$(or $(PANEL_SCREENSHOTS),screenshots/))."

soak: ## Run the long tests: workers killed during 1,000 orders, the money machine on new examples (SOAK_ORDERS=, MONEY_EXAMPLES=)
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m pytest -m soak $(TESTS)

mutants: ## Put small faults into the code that must not be wrong; a test must fail for each (MODULES="orders/keeping.py")
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m mutants $(MODULES)

lint: ## Check style, types, imports between rooms, templates, and that no migration is missing
	$(SET_UP) --dev
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@if [ -d templates ]; then $(BIN)/djlint templates --lint --quiet; fi
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/mypy .

types: ## Check the types alone
	$(SET_UP) --dev
	@$(BIN)/mypy .

docs: ## Write the pages that are made from declarations: docs/service-types.md, docs/api.md
	$(SET_UP) --dev
	@$(ALONE) DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py service_types_doc docs/service-types.md
	@$(ALONE) DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py api_doc docs/api.md

messages: ## Bring the catalogues in locale/ up to date with the words in the code, and compile them
	$(SET_UP) --dev
	@$(ALONE) DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py messages

css: ## Build the style sheet from portal/styles
	$(SET_UP) --dev
	@$(BIN)/tailwindcss --input portal/styles/input.css --output static/css/panel.css --minify

bench: ## Run the benchmarks
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m bench

SEEDS ?= 100
torture: ## Kill processes at the core crash points times every fault: an hour, resumable (SEEDS=100; WHOLE=1 for all points)
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m torture --seeds $(SEEDS) $(if $(WHOLE),,--core) --write
	@$(BIN)/python -m torture --render

CALLS ?= 100000
fuzz: ## Call the API with whatever its OpenAPI document allows, and more (CALLS=100000, or SECONDS=60 for a slice)
	$(SET_UP) --dev
	@$(ALONE) $(BIN)/python -m fuzz --calls $(CALLS) $(if $(SECONDS),--seconds $(SECONDS))

lock: ## Resolve the requirements anew and lock them with hashes (UPGRADE=--upgrade for newer versions)
	$(SET_UP) --dev
	@$(BIN)/uv pip compile pyproject.toml $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --output-file requirements.txt
	@$(BIN)/uv pip compile pyproject.toml $(UPGRADE) --extra dev -c requirements.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-dev.txt
