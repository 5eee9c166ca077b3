#!/usr/bin/env bash
# Environments beside the development one, for scripts that source this.

# find_python VERSION...: prints the first of these Pythons that is here and can make virtual environments.
find_python() {
    local version candidate
    for version in "$@"; do
        for candidate in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version."*/bin/"python$version" \
            "$(command -v "python$version" || true)"; do
            if [ -x "$candidate" ] && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    done
    return 1
}

# make_venv VENV PYTHON REQUIREMENTS: makes it unless it is there, of the same requirements and the same Python.
make_venv() {
    local venv=$1 python=$2 requirements=$3
    if ! { echo "# $python"; cat "$requirements"; } | cmp -s - "$venv/.made"; then
        rm -rf "$venv"
        "$python" -m venv "$venv" || return
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" || return
        { echo "# $python"; cat "$requirements"; } >"$venv/.made"
    fi
}
