#!/usr/bin/env bash
# Builds the collection, installs the result into a scratch path and looks at it as a user would.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$PWD/build/release
rm -rf "$scratch"
mkdir -p "$scratch"
unset PYTHONPATH
touch "$scratch/ansible.cfg"
export ANSIBLE_HOME=$scratch/ansible ANSIBLE_CONFIG=$scratch/ansible.cfg ANSIBLE_COLLECTIONS_PATH=$scratch/collections

ansible-galaxy collection build --output-path "$scratch" >/dev/null
archive=$(compgen -G "$scratch/cutover-arangodb-*.tar.gz")
ansible-galaxy collection install --offline --collections-path "$scratch/collections" "$archive" >/dev/null
ansible-galaxy collection verify --offline cutover.arangodb >/dev/null

listing=$(tar -tzf "$archive")
unwanted=$(grep -E '(^|/)(tests|testbed|build|\.venv|\.ci|\.git|\.[a-z]+_cache|__pycache__|collections|fragments)(/|$)|\.(pyc|pyz)$|(^|/)requirements|pyproject' <<<"$listing" || true)
untracked=$(grep -v '/$' <<<"$listing" | grep -vxE 'MANIFEST\.json|FILES\.json' | grep -vxF -f <(git ls-files) || true)
if [ -n "$unwanted$untracked" ]; then
    printf 'release: these must not be packed:\n%s\n%s\n' "$unwanted" "$untracked"
    exit 1
fi
for wanted in README.md CHANGELOG.md LICENSE changelogs/changelog.yaml docs/runbook.md meta/runtime.yml \
    meta/ee-requirements.txt roles/agent/tasks/main.yml \
    extensions/patterns/live_migration/meta/pattern.json playbooks/cutover.yml \
    extensions/eda/rulebooks/live_migration.yml plugins/modules/migration.py plugins/module_utils/_engine/engine.py; do
    if ! grep -qx "$wanted" <<<"$listing"; then
        printf 'release: %s is missing\n' "$wanted"
        exit 1
    fi
done
for path in plugins/modules/*.py; do
    ansible-doc -t module "cutover.arangodb.$(basename "$path" .py)" >/dev/null
done
for path in roles/*; do
    ansible-doc -t role "cutover.arangodb.$(basename "$path")" >/dev/null
done
printf 'release: fine (%s, %s files)\n' "${archive##*/}" "$(wc -l <<<"$listing")"
