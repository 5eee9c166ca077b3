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
unwanted=$(grep -E '(^|/)(tests|build|\.venv|\.ci|\.git|__pycache__|collections)(/|$)|\.(pyc|pyz)$|(^|/)requirements|pyproject' <<<"$listing" || true)
if [ -n "$unwanted" ]; then
    printf 'release: these must not be packed:\n%s\n' "$unwanted"
    exit 1
fi
for wanted in README.md LICENSE meta/runtime.yml meta/ee-requirements.txt roles/agent/tasks/main.yml \
    extensions/patterns/live_migration/meta/pattern.json playbooks/cutover.yml \
    plugins/modules/migration.py plugins/module_utils/_engine/engine.py; do
    if ! grep -qx "$wanted" <<<"$listing"; then
        printf 'release: %s is missing\n' "$wanted"
        exit 1
    fi
done
for module in precheck migration migration_info server_mode verification agent_archive tls_keyfile; do
    ansible-doc -t module "cutover.arangodb.$module" >/dev/null
done
for role in agent certificates; do
    ansible-doc -t role "cutover.arangodb.$role" >/dev/null
done
printf 'release: fine (%s, %s files)\n' "${archive##*/}" "$(wc -l <<<"$listing")"
