# Two commands: `make run` and `make test`. The rest is what they are made of.
PORT ?= 8080
HOME_DIR ?= .leadmill
BIN := .venv/bin

.PHONY: help setup setup-dev browser run test lint bench sbom audit lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## virtual environment, locked dependencies, web assets
	@scripts/setup.sh

setup-dev: ## setup, plus what the tests and linters need
	@scripts/setup.sh dev

browser:
	@scripts/browser.sh

run: setup ## start the demo on 127.0.0.1 (PORT=8080 HOME_DIR=.leadmill)
	@echo "==> Starting Leadmill on port $(PORT), home $(HOME_DIR); Ctrl-C stops it"
	@exec $(BIN)/leadmill serve --demo --port "$(PORT)" --home "$(HOME_DIR)"

test: setup-dev browser ## linters, import contracts, the whole suite (PYTEST_ARGS=... for less)
	@exec scripts/test.sh $(PYTEST_ARGS)

lint: setup-dev ## ruff, mypy and the import contracts
	@exec scripts/lint.sh

bench: setup ## benchmarks (NAME=intake for one)
	@exec $(BIN)/leadmill bench $(NAME)

sbom: setup ## the bill of materials (CycloneDX), in dist/sbom.json
	@$(BIN)/python -m scripts.sbom dist/sbom.json

audit: setup ## ask an advisory database about every pinned part
	@$(BIN)/python -m scripts.audit

lock: setup-dev ## resolve the requirement files anew
	@scripts/lock.sh

wheel: setup ## a wheel with the web assets inside, in dist/
	@$(BIN)/python -m hatchling build --target wheel

clean: ## remove what was built and installed; your data in .leadmill stays
	@rm -rf .venv web/node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf src/leadmill/interfaces/console/static
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "==> Clean. Kept: .leadmill"
