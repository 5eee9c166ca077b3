#!/usr/bin/env bash
# Resolve the development packages of pyproject.toml in a clean environment and write requirements-dev.lock.
# usage: tests/lint/lock.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${1:-python3.11}" -m venv "$scratch"
"$scratch/bin/python" -c '
import pathlib, tomllib
print("\n".join(tomllib.loads(pathlib.Path("pyproject.toml").read_text())["dependency-groups"]["dev"]))
' >"$scratch/wanted"
"$scratch/bin/python" -m pip install --quiet --disable-pip-version-check -r "$scratch/wanted"
{
    echo "# What the ranges in pyproject.toml were resolved to on Python 3.11 (make lock)."
    "$scratch/bin/python" -m pip freeze --disable-pip-version-check
} >"$scratch/lock"
mv "$scratch/lock" requirements-dev.lock
