#!/usr/bin/env bash
# The engine's and the agent's unit tests on every Python that they run on and this machine has beside the development
# environment's own; absent ones are named. The emulator stays on the development environment's.
# usage: tests/pythons/run.sh [VERSION]...
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/venvs.sh
own=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
CUTOVER_TESTBED_PYTHON=$(command -v python)
export CUTOVER_TESTBED_PYTHON
utils=tests/unit/plugins/module_utils
failed=()
[ $# -gt 0 ] || set -- 3.9 3.10 3.11 3.12 3.13
for version in "$@"; do
    [ "$version" != "$own" ] || continue
    if ! found=$(find_python "$version"); then
        printf -- '-- Python %s is not on this machine: left out\n' "$version"
        continue
    fi
    venv=build/pythons/$version
    make_venv "$venv" "$found" tests/pythons/requirements.txt
    printf -- '-- %s\n' "$("$found" --version)"
    # Settings of newer pytest versions stand in pyproject.toml. The description of the API is held against the routes by
    # a tool that the oldest Pythons do not have.
    "$venv/bin/python" -m pytest -q -c tests/pythons/pytest.ini --rootdir . --confcutdir . -n 2 --dist loadfile \
        --ignore "$utils/_agent/test_openapi.py" "$utils/_core" "$utils/_engine" "$utils/_agent" ||
        failed+=("$version")
done
if [ ${#failed[@]} -gt 0 ]; then
    printf 'pythons: FAILED: %s\n' "${failed[*]}"
    exit 1
fi
printf 'pythons: fine\n'
