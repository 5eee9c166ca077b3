# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWX's API refuses in a survey, and in the answers to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
_NUMBERS: dict[str, tuple[type, ...]] = {"integer": (int,), "float": (int, float)}


def refused_survey(survey: Mapping[str, Any]) -> str:
    """Why a survey is not taken, empty when it is."""
    for key in ("name", "description", "spec"):
        if key not in survey:
            return f"'{key}' missing from survey spec."
    if not isinstance(survey["spec"], list) or not survey["spec"]:
        return "'spec' must be a list of items."
    seen: set[str] = set()
    for number, question in enumerate(survey["spec"]):
        why = _refused_question(question, seen)
        if why:
            return f"{why} in survey question {number}."
        seen.add(question["variable"])
    return ""


def _refused_question(question: Mapping[str, Any], seen: set[str]) -> str:
    for key in ("type", "question_name", "variable", "required"):
        if key not in question:
            return f"'{key}' missing"
    kind, default = question["type"], question.get("default", "")
    if kind not in TYPES:
        return f"'{kind}' is not one of '{', '.join(TYPES)}' allowed question types"
    if question["variable"] in seen:
        return f"'variable' '{question['variable']}' duplicated"
    if kind.startswith("multi") and not question.get("choices"):
        return "there are no choices"
    if default == "":
        return ""
    if kind in _NUMBERS and not isinstance(default, _NUMBERS[kind]):
        return f"the default value {default} is of the wrong type"
    if kind not in _NUMBERS and not isinstance(default, str):
        return f"the default value {default} is no string"
    return "" if kind != "multiplechoice" else _outside(question, default)


def refused_answer(question: Mapping[str, Any], answer: Any) -> str:
    """Why AWX does not launch a job with this answer, empty when it does."""
    name, kind = question["variable"], question["type"]
    if answer in (None, ""):
        return f"'{name}' value missing" if question["required"] else ""
    if kind in _NUMBERS:
        if not isinstance(answer, _NUMBERS[kind]) or isinstance(answer, bool):
            return f"Value {answer} for '{name}' expected to be numeric."
        low, high = question["min"], question["max"]
        return "" if low <= answer <= high else f"'{name}' value {answer} is outside {low} to {high}."
    if not isinstance(answer, str):
        return f"Value {answer} for '{name}' expected to be a string."
    if kind == "multiplechoice":
        return _outside(question, answer)
    return "" if question["min"] <= len(answer) <= question["max"] else f"'{name}' value is too short or too long."


def _outside(question: Mapping[str, Any], value: str) -> str:
    choices = question["choices"]
    known = choices.splitlines() if isinstance(choices, str) else choices
    return "" if value in known else f"Value {value} for '{question['variable']}' expected to be one of {known}."
