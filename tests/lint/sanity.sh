#!/usr/bin/env bash
# All ansible-test sanity tests, in a copy of the files that a user gets.
# usage: tests/lint/sanity.sh [ARGUMENT OF ansible-test sanity]...
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(command -v python)
scratch=$PWD/build/sanity
mkdir -p "$scratch"
"$python" tests/lint/sanity_home.py "$scratch/home"
cd "$(tests/lint/copy.sh)"

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
