# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module does around its work: run it, and turn errors into `msg` and `failure`."""
from __future__ import annotations

from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from .._core.errors import CutoverError
from .failure import failure_of, message_of


def run_module(module: AnsibleModule, work: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """Do `work` and leave with its result, or with the error that it raised."""
    try:
        result = work(module)
    except CutoverError as error:
        module.fail_json(msg=message_of(error), failure=failure_of(error))
    module.exit_json(**result)
