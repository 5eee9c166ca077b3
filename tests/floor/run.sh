#!/usr/bin/env bash
# The playbooks from the first check to the last trace removed, between two emulated clusters, with the oldest and the
# newest ansible-core that the Pythons of this machine can run. A Python that is absent is named and left out.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/tools/venvs.sh

# play CORE PYTHON-VERSION...: the line of playbooks with that core; fails when none of the Pythons is here.
play() {
    local core=$1 python
    shift
    if ! python=$(find_python "$@"); then
        printf 'ansible-core %s: none of%s is on this machine, left out\n' "$core" "$(printf ' python%s' "$@")"
        return 1
    fi
    make_venv "build/floor/$core" "$python" "tests/floor/requirements-$core.txt"
    printf '== ansible-core %s on %s\n' "$core" "$("$python" --version)"
    CUTOVER_ANSIBLE_BIN=$PWD/build/floor/$core/bin pytest -q -p no:cacheprovider \
        tests/roles/test_against_clusters.py::test_a_cluster_is_moved_by_playbooks || echo "$core" >>build/floor/failed
}

mkdir -p build/floor
rm -f build/floor/failed
# Both at the same time. Something older than the core of the development environment is run everywhere: 2.18 where
# there is no Python for 2.16.
(play 2.16 3.10 || play 2.18 3.11 || echo oldest >>build/floor/failed) >build/floor/oldest.log 2>&1 &
oldest=$!
play 2.21 3.13 3.12 || true
wait "$oldest" || echo oldest >>build/floor/failed
cat build/floor/oldest.log
if [ -s build/floor/failed ]; then
    printf 'floor: FAILED: %s\n' "$(paste -sd' ' build/floor/failed)"
    exit 1
fi
printf 'floor: fine\n'
