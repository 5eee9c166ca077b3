# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log lines: one line each, without secrets."""

from __future__ import annotations

import json
import logging

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.logging_setup import JsonFormatter, TextFormatter


def record(message: str, *arguments: object) -> logging.LogRecord:
    """A record as a logger would make it, with an exception."""
    try:
        raise ValueError("bearer abcdef.token")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    return logging.LogRecord("x.y", logging.WARNING, __file__, 1, message, arguments, info)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_one_line_without_secrets(formatter: logging.Formatter) -> None:
    line = formatter.format(record("path %s with password=hush-hush", "/a\nforged line"))
    assert "\n" not in line
    assert "hush-hush" not in line
    assert "abcdef.token" not in line
    assert "forged line" in line
    assert "ValueError" in line


def test_json_is_json() -> None:
    entry = json.loads(JsonFormatter().format(record("done")))
    assert (entry["level"], entry["logger"], entry["message"]) == ("warning", "x.y", "done")
    assert entry["at"].endswith("Z")
