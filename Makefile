# The targets a person needs; each installs what it needs first and repeats in seconds.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
FAULTS ?= 1000
KILLS ?= 30
MINUTES ?= 9
NUMBER ?= 10000
FUZZER ?= .fuzzer
BROWSER ?= .browser
PIP = $(BIN)/python -m pip install --quiet --no-deps --require-hashes

.PHONY: help install demo all-venues up wheel test test-servers browser check lint format chaos kill-workers fuzz fuzz-sql audit-deps docs bench bench-real lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## create .venv with the locked dependencies and the command `liq`

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "liq needs Python 3.11 or newer; this is %s. Set PYTHON=/path/to/python3.11." % sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked dependencies into $(VENV) (half a minute the first time)"
	@$(PIP) -r <(sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock)
	@index="$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	UV_NATIVE_TLS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --no-deps --require-hashes -r requirements-dev.lock \
		|| { echo "uv could not, so pip does it, which takes longer"; $(PIP) -r requirements-dev.lock; }
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## run the whole pipeline against local venue simulators
	$(BIN)/liq demo

all-venues: install ## the demo of every venue at once for MINUTES; what is missing, and what each process takes
	$(BIN)/liq demo all --minutes $(MINUTES) --data data/all-venues --yes

up: install ## run the whole pipeline against the live venues
	$(BIN)/liq up

wheel: install ## build dist/*.whl, which pip and pipx install without a clone (Python 3.11 and newer)
	@rm -f dist/liquidation_warehouse-*.whl
	$(BIN)/python -m hatchling build --target wheel

test: install ## run every test
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --durations 25

test-servers: install ## the tests that speak to a lake, with each lake on a real PostgreSQL and a real S3 server
	$(BIN)/python -m pytest -p tests.warehouse.elsewhere tests/warehouse tests/sql tests/pipelines/test_*ingest*.py tests/pipelines/test_re*.py tests/pipelines/test_roll*.py -n $(WORKERS) --dist loadfile --timeout 900

browser: install ## install what the tests of the page drive: chromium (apt, as root), and axe-core (npm)
	@command -v chromium >/dev/null || apt-get install -y --no-install-recommends chromium
	@mkdir -p $(BROWSER) && cd $(BROWSER) && tar -xzf "$$(npm pack --silent axe-core@4.14.1)" package/axe.min.js package/LICENSE

check: install ## lint, types, and the tests near what changed since SINCE (HEAD if not given)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@files="$$($(BIN)/python -m tests.touched $(SINCE))"; if [ -n "$$files" ]; then $(BIN)/python -m pytest -q -n 2 --dist loadfile $$files; fi

lint: install ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## let ruff rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

chaos: install ## break everything at random while venues write down what they sent, then check each promise (SEED, FAULTS, MINUTES)
	$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) --faults $(FAULTS) --minutes $(MINUTES) $(CHAOS)

kill-workers: install ## kill ingests that share a lake, PostgreSQL's sessions and the S3 server; then compare with one ingest (KILLS, SEED)
	$(BIN)/python -m tests.several --s3 --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(SEVERAL)

fuzz: install ## inputs that nobody sends, to every parser, the envelope and the door of ingest (MINUTES)
	@$(BIN)/python -m pip install --quiet --target $(FUZZER) atheris==3.0.0 || echo "atheris cannot be installed here: inputs are drawn at random"
	PYTHONPATH=$(FUZZER) $(BIN)/python -m tests.fuzz --minutes $(MINUTES)

fuzz-sql: install ## SQL of others, allowed and not, mixed and damaged, to the sandbox of a service (NUMBER)
	$(BIN)/python -m tests.fuzz.statements --number $(NUMBER)

audit-deps: install ## whether vulnerabilities are known of the locked dependencies; says so where nobody can be asked
	@.ci/audit-deps $(BIN)/python .auditor

docs: install ## write the catalogue of views and macros into sql/README.md
	$(BIN)/liq views --update sql/README.md

bench: install ## print speeds as ratios measured in one run; eight minutes, the first run longer
	$(BIN)/python -m tests.bench

bench-real: install ## how the estimated levels and simple rules foretold real liquidations, where ../shared/real is
	$(BIN)/python -m tests.bench real

lock: install ## resolve the dependencies again and write both locks
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras pyproject.toml --group dev -o requirements-dev.lock

clean: ## remove .venv and caches, keep data/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzzer .browser .auditor .auditor.log
