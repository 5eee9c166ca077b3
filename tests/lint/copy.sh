#!/usr/bin/env bash
# Copies the files that a user gets into build/sanity under the collection's own path, as a git tree of its own, and
# prints where that is: Ansible's tools know a collection by its path. The project's own tests stay outside: they aren't
# packed, and ruff and mypy look at them.
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$PWD/build/sanity/ansible_collections/cutover/arangodb
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- . ':!tests' tests/config.yml |
    while IFS= read -r -d '' file; do
        if [ -f "$file" ]; then printf '%s\0' "$file"; fi
    done | xargs -0 cp --parents -t "$copy"
git -C "$copy" init -q -b main
git -C "$copy" add -A
printf '%s\n' "$copy"
