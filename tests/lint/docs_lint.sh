#!/usr/bin/env bash
# antsibull-docs in a copy of the files that a user gets: links and options that the documentation of modules and roles names.
set -euo pipefail
copy=$("$(dirname "$0")/copy.sh")
cd "$copy"
export ANSIBLE_COLLECTIONS_PATH=${copy%/ansible_collections/*} ANSIBLE_HOME=${copy%/ansible_collections/*}/home/.ansible
unset PYTHONPATH
exec antsibull-docs lint-collection-docs --plugin-docs .
