# `make help` lists the targets. `demo` and `test` need Python >= 3.11 and nothing else.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
PORT ?= 8000
VOTES ?=
URL ?=
KIND ?= openai
KEY_ENV ?=
MODELS ?=
FILE ?=
NAME ?=
IMAGES ?=
# A folder of its own for each file of votes; blanks would end a word of make.
blank := $(subst ,, )
DEMO := $(CURDIR)/var/demo$(if $(VOTES),-$(basename $(notdir $(subst $(blank),-,$(VOTES)))))
# Frames are short and many: packing each costs more than it saves. Forwarded addresses are read
# by the arena itself, as far as TRUSTED_PROXIES says.
SERVING := --ws-max-size 1000000 --ws-per-message-deflate false --timeout-graceful-shutdown 25 \
	--no-server-header --no-proxy-headers
SITE := TILTYARD_VAR="$(DEMO)" SECRET_KEY_FILE="$(DEMO)/secret_key"

.PHONY: help demo endpoint answers test test-services check format vendor bench coverage-study screenshots messages migrations clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.demo ## seed and serve simulated data; VOTES=file serves that file's board instead
	@mkdir -p "$(DEMO)" && [ -s "$(DEMO)/secret_key" ] || \
		(umask 077 && $(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))" > "$(DEMO)/secret_key")
	@$(SITE) $(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(SITE) $(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@$(SITE) $(BIN)/python manage.py demo --url http://127.0.0.1:$(PORT)/ $(if $(VOTES),--votes "$(VOTES)")
	@$(SITE) PUBLISH_SECONDS=120 exec $(BIN)/uvicorn arena.config.asgi:application --port $(PORT) --lifespan on \
		$(SERVING) --log-level warning

endpoint: $(VENV)/.demo ## add your own models to the demo: URL=http://localhost:11434/v1 [KIND= KEY_ENV= MODELS= IMAGES=1]
	@$(SITE) $(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(SITE) $(BIN)/python manage.py add_endpoint "$(URL)" --kind "$(KIND)" \
		$(if $(KEY_ENV),--key-env "$(KEY_ENV)") $(foreach model,$(MODELS),--model "$(model)") \
		$(if $(IMAGES),--images)

answers: $(VENV)/.demo ## have answers made elsewhere judged in the demo: FILE=answers.csv NAME="..."
	@$(SITE) $(BIN)/python manage.py import_answers "$(FILE)" --name "$(NAME)"

test: $(VENV)/.test ## run every test (those in a browser skip where there is no Chromium)
	@$(BIN)/pytest -n auto --dist loadfile -m "not browser" $(ARGS); [ $$? = 0 -o $$? = 5 ]
	@$(BIN)/pytest -m browser $(ARGS); [ $$? = 0 -o $$? = 5 ]

test-services: $(VENV)/.test ## run the core suite on DATABASE_URL (PostgreSQL) and REDIS_URL
	@$(BIN)/pytest -m "not browser" tests/voters tests/catalog tests/battles tests/chats tests/integrity \
		tests/leaderboard tests/reports tests/api $(ARGS)

check: $(VENV)/.test ## formatting, lint, types, house rules; no tests
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@mkdir -p var/check && SECRET_KEY=check TILTYARD_VAR=$(CURDIR)/var/check \
		$(BIN)/python -W error manage.py makemigrations --check --dry-run --verbosity 0

format: $(VENV)/.test ## format the code and mend what lint can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

vendor: $(VENV)/.demo ## refresh the browser libraries from npm (needs npm)
	@$(BIN)/python tools/vendor.py

bench: $(VENV)/.demo $(PEERS)/.installed ## measure two million votes, side by side with other packages
	@$(BIN)/python benchmarks/fit.py
	@$(BIN)/python benchmarks/peers.py
	@$(BIN)/python benchmarks/subsets.py

coverage-study: $(VENV)/.demo ## see how often intervals hold over simulated arenas (some minutes)
	@$(BIN)/python benchmarks/coverage.py

screenshots: $(VENV)/.test ## take a picture of every state, into var/screenshots, and the README's
	@$(BIN)/python tools/screenshots.py $(ARGS)

messages: $(VENV)/.test ## collect the texts to be translated and compile translations; CHECK=1 changes nothing
	@$(BIN)/python tools/messages.py $(if $(CHECK),--check)

migrations: $(VENV)/.demo ## write migrations for changed models
	@mkdir -p var/check && SECRET_KEY=check TILTYARD_VAR=$(CURDIR)/var/check \
		$(BIN)/python manage.py makemigrations

clean: ## remove the virtual environment, the demo and all caches
	rm -rf $(VENV) $(PEERS) var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "Python 3.11 or newer is needed; name one with PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# A stamp for what is installed: touching a requirements file installs it again.
$(VENV)/.demo: requirements.txt | $(VENV)/bin/python
	@echo "Installing requirements into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt && touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/.demo
	@echo "Installing test requirements into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt && touch $@

# The packages that `bench` compares with need other versions of NumPy and SciPy than this project.
$(PEERS)/.installed: benchmarks/requirements-peers.txt
	@$(PYTHON) -m venv $(PEERS)
	@echo "Installing the peers into $(PEERS) ..."
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@
