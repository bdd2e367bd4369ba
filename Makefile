# Two commands matter: `make demo` and `make test`. Recipes run in this folder, wherever make was called from (make -C).
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help env demo stop clean test

help:
	@echo "make demo    a working city with made-up people; prints address and logins; Ctrl-C ends it (PORT=8000)"
	@echo "make test    every check and test, in services of its own (BROWSER=skip leaves the browser out)"
	@echo "make env     the environment alone: .venv and node_modules"
	@echo "make stop    end the demo and its private servers; the data stay"
	@echo "make clean   forget the data of demo and tests"

env:
	@$(PYTHON) scripts/environment.py

demo: env
	@exec .venv/bin/python manage.py demo

test: env
	@exec .venv/bin/python scripts/check.py $(PYTEST)

stop:
	@test ! -x .venv/bin/python || exec .venv/bin/python manage.py services stop

clean:
	@test ! -x .venv/bin/python || .venv/bin/python manage.py services remove
	@test ! -x .venv/bin/python || CHANGDE_DATA="$(CURDIR)/.data-test" .venv/bin/python manage.py services remove
	@rm -rf .data .data-test build
