# make run: set up and start everything with the sample company. make test: set up and run every check.
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
BROWSER := .venv/browser
# Debian asks what kind of mail server it is to be; with "No configuration" it never runs, and we want two programs only
POSTFIX = echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix >/dev/null

.PHONY: run test setup check browser bench bench-diff bench-mail bench-notices chaos lock migration clean

run: setup
	@$(BIN)/mailer up --demo

test: setup browser check

setup: $(READY)

# the lock and the project's own metadata decide whether anything is to be installed
$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

browser: setup $(BROWSER)

# the browser tests want Chromium: the system's, else Debian's package where we are root, else Playwright's own
$(BROWSER):
	@if command -v chromium chromium-browser google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { apt-get install -y -qq chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }; }; then :; \
	elif $(BIN)/playwright install chromium; then :; \
	else echo "The browser tests need Chromium, which could not be installed: install the package chromium." >&2; exit 1; fi
	@touch $@

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

# how fast mail goes, beside a C program and prepared bytes; writes bench.json; ONLY="send_vs_pump" for one figure
bench: setup
	@if [ -x /usr/sbin/smtp-sink ] || command -v smtp-sink >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { $(POSTFIX) || { apt-get update -qq && $(POSTFIX); }; }; then :; \
	else echo "The benchmark needs smtp-sink and smtp-source: install the package postfix (it need not run)." >&2; exit 1; fi
	$(BIN)/python -m tests.benchmarks.sending --out bench.json $(if $(ONLY),--only $(ONLY))

# every fault in full, some half an hour; ONLY="kills flushed" for some of it, JSON=FILE for the figures
chaos: setup
	$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

# our diff beside three others, on the real histories or on DIR, a folder of versions; prints ratios of one run
bench-diff: setup
	$(BIN)/python -m tests.benchmarks.bench_diff $(DIR)

# the officer's pages with a million notices, on both databases; PEOPLE=20000 for fewer; fails on a page slower than 0.3 s
bench-notices: setup
	$(BIN)/python -m tests.benchmarks.notices $(if $(PEOPLE),--people $(PEOPLE))

# what our reader makes of real mail, beside the libraries; of DIR, if it is given, a folder of mails
bench-mail: setup
	$(BIN)/python -m tests.benchmarks.mail $(DIR)

# resolve every dependency anew; wants uv
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet -p 3.11 pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet -p 3.11 --extra dev pyproject.toml -o requirements-dev.lock

# write what the models have and the migrations have not: make migration NAME=0002_what_it_does
migration: setup
	$(BIN)/python -m mailer.migrations.write "$(NAME)"
	@$(BIN)/ruff format --quiet mailer/migrations/versions/$(NAME).py

clean:
	rm -rf .venv var dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
