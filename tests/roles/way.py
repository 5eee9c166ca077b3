# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody types who follows the pages, in an order that one agent allows: three migrations, one after another.

``tests/roles/test_pages.py`` types it, ``tests/unit/test_blocks.py`` sees that nothing of the pages is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAY = "ansible-playbook cutover.arangodb."
HERE = "ansible-playbook -i inventory.yml cutover.arangodb."


@dataclass(frozen=True)
class Step:
    """A command; ``says`` is in its output, and ``first`` names what has to be so before (a method of the session).

    ``own``: on no page as a block, but needed on the way, or told in words only.
    """

    command: str
    says: str = ""
    fails: bool = False
    first: str = ""
    own: bool = False


INSTALLED = (
    Step("ansible-galaxy collection build && ansible-galaxy collection install cutover-arangodb-*.tar.gz",
         says="was installed successfully"),
    Step("ansible-vault create group_vars/all/secrets.yml    "
         "# target_password: …   agent_token: … (a long random word)"),
    Step(f"{PLAY}deploy_agent", says="failed=0"),
    Step(f"{PLAY}precheck", says="Passed: "),
    Step(f"{HERE}precheck -e report_path=checks.html", says="Passed: "),
    Step(f"{PLAY}precheck -e sample_seconds=20", says="Passed: "),
    Step("ansible-playbook -i managed/inventory.yml cutover.arangodb.precheck", says="platform-permissions", own=True),
    Step("ansible-playbook -i inventory.yml --check role_agent.yml", says="failed=0", own=True),
    Step("ansible-playbook -i inventory.yml --syntax-check role_certificates.yml", own=True),
)  # fmt: skip

# The former tool's way, into the deployment of the managed platform.
BY_COMMAND_LINE = (
    Step("alias cutover-agent='python3 /usr/local/lib/cutover-arangodb/cutover-agent.pyz'"),
    Step("export CUTOVER_AGENT_CA_PATH=/etc/cutover-arangodb/ca.pem CUTOVER_AGENT_TOKEN_PATH=agent.token"),
    Step("cutover-agent status", says="inactive"),
    Step("export CUTOVER_AGENT_ENDPOINT=https://migration-host.example.com:8629 CUTOVER_AGENT_CA_PATH=agent-ca.pem"),
    Step("export CUTOVER_AGENT_TOKEN_PATH=agent.token"),
    Step("cutover-agent start --check-only --source.endpoint https://db1.example.com:8529 "
         "--source.cacert /etc/cutover-arangodb/source-ca.pem --oasis.api-key KEY --oasis.api-secret env:SECRET "
         "--oasis.deployment-id ID", says="passed"),
    Step("cutover-agent start …the same without --check-only… --watch", says="in sync"),
    Step("cutover-agent stop", says="completed", first="ready"),
    Step("cutover-agent status --watch", says="completed"),
    Step(f"{HERE}watch -e watch_until=completed -e watch_timeout=7200", says="completed"),
    Step(f"{PLAY}cutover -i inventory.yml -e max_downtime=20 -e proxy_host=proxy.example.com "
         "-e on_fenced_tasks=switch_proxy.yml -e post_open_tasks=switch_proxy.yml "
         "-e on_rollback_tasks=switch_proxy.yml", says="Have the proxy use it"),
    Step("cutover-agent changes", says="0 created, 0 changed, 0 removed"),
    Step("cutover-agent revoke-opening --name default", says="aborted"),
    Step(f"{HERE}abort -e cleanup=true", says="aborted", own=True),
)  # fmt: skip

BY_PLAYBOOKS = (
    Step(f"{PLAY}migrate", says="| in sync "),
    Step(f"{HERE}migrate -e migration_watch=false", says="changed=0"),
    Step(f"{HERE}status", says="shards in sync"),
    Step("ansible-playbook -i inventory.yml tasks.yml", says="ok=1", first="read_token", own=True),
    Step(f"{HERE}limits -e load=gentle -e mb_per_second=10", says="changed=1"),
    Step(f"{HERE}limits -e load=gentle -e copiers=2", says="changed=1"),
    Step(f"{HERE}limits -e @windows.yml", says="changed=1", own=True),
    Step(f"{HERE}pause -e pause_reason=backup", says="CUT-GATE-9"),
    Step(f"{HERE}resume", says="changed=1", own=True),
    Step(f"{HERE}verify -e verify_mode=keys -e verify_repair=true", says="0 left, 1 repaired", first="lose"),
    Step(f"{HERE}verify -e verify_mode=documents -e verify_repair=true", says="0 left, 1 repaired", first="alter"),
    Step(f"{HERE}rehearse -e fence_seconds=10", says="rehearsed", first="ready"),
    Step(f"{HERE}cutover -e max_downtime=20 -e gate_timeout=300 -e rescue_file=/srv/safe/rescue.json",
         says="completed", first="ready"),
    Step(f"{HERE}rescue -e rescue_file=/srv/safe/rescue.json -e @rescue.yml", says="CUT-RESCUE-1", fails=True),
    Step("cutover-agent revoke-opening --name default", says="aborted", own=True),
    Step(f"{HERE}migrate", says="changed=1", own=True),
    Step(f'{HERE}cutover -e \'{{"accept_findings": [{{"id": "CUT-VERIFY-2|shop/things|t200", '
         '"reason": "a test document, ticket 4711"}]}\'', says="completed", first="differ"),
    Step("cutover-agent report --html > report.html"),
    Step(f"{PLAY}cutover", says="changed=0"),
    Step(f"{HERE}server_mode -e server_mode=default", says="default, asked"),
    Step(f"{HERE}configure_controller -e @controller.yml", says="failed=0"),
    Step(f"{HERE}remove_agent", says="failed=0", own=True),
)  # fmt: skip

WAY = (*INSTALLED, *BY_COMMAND_LINE, *BY_PLAYBOOKS)

# The blocks in YAML that it uses, and the file that each becomes (or becomes a part of).
FILES = {
    ("README.md", "# inventory.yml"): "inventory.yml",
    ("README.md", "deployment_id: hmkuedzw9oavvjmjdo0i"): "managed/inventory.yml",
    ("docs/automation.md", "# controller.yml"): "controller.yml",
    ("docs/automation.md", "# in the inventory"): "inventory.yml",
    ("docs/monitoring/README.md", "# prometheus.yml"): "prometheus.yml",
    ("docs/playbooks.md", "# tasks.yml"): "tasks.yml",
    ("docs/playbooks.md", "# rescue.yml"): "rescue.yml",
    ("docs/tuning.md", "# windows.yml"): "windows.yml",
    ("roles/agent/README.md", "- hosts: cutover_agents"): "role_agent.yml",
    ("roles/certificates/README.md", "- hosts: cutover_agents"): "role_certificates.yml",
}
