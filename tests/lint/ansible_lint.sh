#!/usr/bin/env bash
# ansible-lint in a copy of the files that a user gets: playbooks resolve the collection's own modules only there.
set -euo pipefail
copy=$("$(dirname "$0")/copy.sh")
cd "$copy"
export ANSIBLE_COLLECTIONS_PATH=${copy%/ansible_collections/*} ANSIBLE_HOME=${copy%/ansible_collections/*}/home/.ansible
unset PYTHONPATH
exec ansible-lint --offline --profile production --nocolor "$@"
