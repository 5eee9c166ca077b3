#!/usr/bin/env bash
# Every linter, each announced with what it costs; runs all of them and fails if one did.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
python tests/tree.py >/dev/null
failed=()

step() {
    local name=$1 begun=$SECONDS
    shift
    printf '== %s\n' "$name"
    if "$@"; then
        printf -- '-- %s: fine (%d s)\n' "$name" $((SECONDS - begun))
    else
        failed+=("$name")
        printf -- '-- %s: FAILED (%d s)\n' "$name" $((SECONDS - begun))
    fi
}

package=ansible_collections.cutover.arangodb
step "ruff" ruff check .
step "mypy" mypy -p "$package.plugins.module_utils" -p "$package.plugins.plugin_utils" -p "$package.plugins.action" \
    -p tests.testbed -p tests.demo -p tests.e2e -p tests.workload -p tests.compare -p tests.soak \
    -p tests.bad_input -p tests.mutants -p tests.integration -p tests.model -p tests.real -p tests.bench \
    -p tests.browser -p tests.monitoring -p tests.hosts -p tests.controller
step "yamllint" yamllint --strict .
step "shellcheck" shellcheck .ci/run tests/lint/*.sh tests/floor/*.sh tests/pythons/*.sh tests/tools/*.sh tests/eda/*.sh
step "ansible-lint" tests/lint/ansible_lint.sh
step "antsibull-docs" tests/lint/docs_lint.sh
step "antsibull-changelog" tests/lint/changelog.sh
step "ansible-test sanity" tests/lint/sanity.sh

if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint: FAILED: %s\n' "${failed[*]}"
    exit 1
fi
printf 'lint: fine\n'
