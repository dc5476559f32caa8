#!/bin/sh
# Installs the packages of a list and what they need, each at the version that requirements.lock pins.
# TORCH_BACKEND=cpu takes torch from PyTorch's index of CPU builds, empty from the usual one (CUDA).
set -eu
cd "$(dirname "$0")"
uv pip install --no-cache --compile-bytecode ${TORCH_BACKEND:+--torch-backend "$TORCH_BACKEND"} \
  --constraints ../requirements.lock --overrides overrides.txt --requirements "$1"
if uv pip freeze | sed 's/+.*//' | grep -vxF "$(cut -d ' ' -f 1 ../requirements.lock)"; then
  echo "these are not what requirements.lock pins" >&2
  exit 1
fi
