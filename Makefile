PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The package fer needs an old setuptools and an OpenCV that would replace ours.
FER := .venv-fer
# The GPU libraries that CPU=1 leaves out; torch itself then comes from PyTorch's index of CPU builds.
GPU_ONLY := ^(nvidia-|cuda-|triton|torch==|torchvision==)
CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: help install up test check chaos containers bench-fer format lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED) ## make .venv with everything in it (CPU=1: without the GPU libraries)

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Reelmood needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
ifdef CPU
	$(BIN)/pip install --quiet --no-deps --index-url $(CPU_INDEX) $$(grep -E '^(torch|torchvision)==' requirements.lock | cut -d' ' -f1)
	grep -vE '$(GPU_ONLY)' requirements.lock > $(VENV)/requirements.cpu
	$(BIN)/pip install --quiet --no-deps -r $(VENV)/requirements.cpu
else
	$(BIN)/pip install --quiet --no-deps -r requirements.lock
endif
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

up: $(INSTALLED) ## run everything on this machine, until Ctrl-C
	@exec $(BIN)/reelmood up

test: check ## check, then run all tests
	$(BIN)/pytest

chaos: $(INSTALLED) ## break things for real, at length
	$(BIN)/pytest -n 2 --dist loadfile -m "long or not long" tests/chaos

containers: $(INSTALLED) ## build the images and try the compose stack (REELMOOD_OFFLINE=1: podman, no registry)
	$(BIN)/python -m tests.deploy.trial

bench-fer: ## make .venv-fer, the rival of `reelmood bench fer`
	$(PYTHON) -m venv $(FER)
	$(FER)/bin/pip install --quiet pillow requests 'tensorflow-cpu>=2.21,<3' 'opencv-contrib-python-headless>=4.14,<5' 'setuptools<81'
	$(FER)/bin/pip install --quiet --no-deps fer==25.10.3 facenet-pytorch==2.6.0

check: $(INSTALLED) ## lint, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED) ## pin every dependency again
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev --extra s3 --upgrade --no-header --no-annotate --quiet -o requirements.lock pyproject.toml

clean: ## remove both .venv and caches; the folder data stays
	rm -rf $(VENV) $(FER) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
