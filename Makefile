# `make` prints what can be done here. Everything happens in private environments
# (.venv-*, .tox) below this folder; `make clean` removes them.

PYTHON ?= python3
TOOLS := .venv-tools
OURS := protocol client server gunicorn
# Pinned by their major version only: what a tool finds new, we want to know.
TOOL_PACKAGES := "tox >=4.20,<5" "flit_core >=3.11,<5"
RUN_PACKAGES := "flit_core >=3.11,<5" "httpbin >=0.10,<0.11" \
    "uvloop; platform_python_implementation == 'CPython'"

# Pythons that pyenv keeps are found although they are not on the PATH.
PYENV_ROOT ?= $(HOME)/.pyenv
PYTHONS := $(wildcard $(PYENV_ROOT)/versions/3.1[1-4].*/bin/python)
TOX := $(TOOLS)/bin/tox run $(if $(PYTHONS),--discover $(PYTHONS))

.DEFAULT_GOAL := help
.PHONY: help run test integration check build bench soak screenshots clean

help: ## print this list
	@if [ -t 1 ]; then on=$$(printf '\033[1;36m'); off=$$(printf '\033[0m'); fi; \
	awk -F ':.*## ' -v on="$$on" -v off="$$off" \
	    '/^[a-z]+:.*## / { printf "%s%-18s%s%s\n", on, "make " $$1, off, $$2 }' $(MAKEFILE_LIST)

run: .venv-run/ready ## serve httpbin with gunicorn, fetch from it with the client, show what came
	@.venv-run/bin/python .ci/wheels.py build build/run >/dev/null
	@.venv-run/bin/python .ci/wheels.py install build/run $(OURS)
	@.venv-run/bin/python examples/run.py

test: $(TOOLS)/ready ## test each package on each Python that is here (tox)
	@$(TOX) -m test

integration: $(TOOLS)/ready ## test all packages together, against curl, nginx, a browser …
	@.ci/debian-packages --check
	@$(TOX) -e integration

check: $(TOOLS)/ready ## check style, types, and what the wheels contain
	@$(TOX) -m check

build: $(TOOLS)/ready ## build sdist and wheel of each package into dist/, and look into them
	@$(TOOLS)/bin/python .ci/wheels.py build dist
	@$(TOOLS)/bin/python .ci/wheels.py check dist

bench: .venv-run/ready ## measure our speed beside that of our peers (minutes)
	@.venv-run/bin/python .ci/wheels.py build build/run >/dev/null
	@.venv-run/bin/python .ci/wheels.py install build/run $(OURS)
	@.venv-run/bin/python -m bench $(BENCH)

soak: $(TOOLS)/ready ## keep the server and the client under load, and watch their memory (minutes)
	@$(TOX) -e soak

screenshots: .venv-run/ready ## take the pictures of aiohttp-server's documentation anew
	@.ci/debian-packages --check
	@.venv-run/bin/python .ci/wheels.py build build/run >/dev/null
	@.venv-run/bin/python .ci/wheels.py install build/run $(OURS)
	@.venv-run/bin/python integration/screenshots.py

clean: ## remove everything that these targets have made
	rm -rf .tox .venv-* build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(TOOLS)/ready: Makefile
	@$(call environment,$(TOOLS),$(TOOL_PACKAGES))

.venv-run/ready: Makefile
	@$(call environment,.venv-run,$(RUN_PACKAGES))

# A virtual environment with these packages; made again when it was not finished.
define environment
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")' && \
	echo "setting up $(1) …" && \
	$(PYTHON) -m venv --clear $(1) && \
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2) && \
	touch $(1)/ready
endef
