#!/usr/bin/env bash
# All ansible-test sanity tests, in a copy of the files that a user gets: they need the collection's own path and a git
# tree. The project's own tests stay outside: they aren't packed, and ruff and mypy look at them.
# usage: tests/lint/sanity.sh [ARGUMENT OF ansible-test sanity]...
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(command -v python)
scratch=$PWD/build/sanity
copy=$scratch/ansible_collections/cutover/arangodb
mkdir -p "$scratch"
"$python" tests/lint/sanity_home.py "$scratch/home"

rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- . ':!tests' tests/config.yml | while IFS= read -r -d '' file; do
    if [ -f "$file" ]; then printf '%s\0' "$file"; fi
done | xargs -0 cp --parents -t "$copy"
cd "$copy"
git init -q -b main
git add -A

# ansible-test looks for pythonX.Y on PATH; pyenv's shims there answer for versions that then do not start.
path=$(dirname "$python")
for version in 3.9 3.10 3.11 3.12 3.13; do
    real=$("python$version" -c 'import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)))' 2>/dev/null) ||
        real=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version.*/bin" | tail -n 1) || continue
    path=$path:$real
done
export HOME=$scratch/home PATH=$path:/usr/local/bin:/usr/bin:/bin
unset PYTHONPATH
exec ansible-test sanity --requirements --color no "$@"
