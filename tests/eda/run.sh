#!/usr/bin/env bash
# The rulebooks under ansible-rulebook, in an environment of its own: it needs Java 17 and its packages do not belong
# among those of the development. Where it cannot be had, the reason is printed and nothing is run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/venvs.sh
venv=build/eda

leave_out() {
    printf 'eda: %s: the rulebooks are not run here\n' "$1"
    exit 0
}

command -v java >/dev/null || leave_out "there is no java"
make_venv "$venv" "$(command -v python)" tests/eda/requirements.txt || leave_out "ansible-rulebook cannot be installed"
CUTOVER_RULEBOOK_BIN=$PWD/$venv/bin pytest -q -p no:cacheprovider tests/eda
printf 'eda: fine\n'
