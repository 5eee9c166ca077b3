# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a release has to hold before it is built: one version, tags and licence that Galaxy takes, licence headers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.roles.documented import module_names, part_of

ROOT = Path(__file__).resolve().parents[2]
GALAXY: dict[str, Any] = yaml.safe_load((ROOT / "galaxy.yml").read_text())
CHANGES: dict[str, Any] = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())
ROLES = sorted((ROOT / "roles").iterdir())
# Galaxy's rules for tags: at least one of these, all of this form, at most so many.
KNOWN_TAGS = {
    "ai", "application", "cloud", "database", "eda", "infrastructure", "linux", "monitoring", "networking",
    "security", "storage", "tools", "windows",
}  # fmt: skip
TAG = re.compile(r"[a-z0-9_]+")
MOST_TAGS = 20
HEADER = re.compile(
    r"(#!.*\n)?# Copyright: the cutover\.arangodb contributors\n"
    r"# GNU General Public License v3\.0 or later \(see LICENSE or "
)


def number(version: str) -> tuple[int, ...]:
    """A version as something to compare."""
    return tuple(int(part) for part in version.split("."))


def test_the_version_is_the_same_everywhere() -> None:
    version = GALAXY["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert max(CHANGES["releases"], key=number) == version
    assert f'id="v{version.replace(".", "-")}"' in (ROOT / "CHANGELOG.md").read_text()
    assert part_of("agent_archive", "RETURN")["version"]["sample"] == version


@pytest.mark.parametrize("module", module_names())
def test_a_module_says_since_when_it_is_there(module: str) -> None:
    assert number(part_of(module, "DOCUMENTATION")["version_added"]) <= number(GALAXY["version"])


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_a_role_says_since_when_it_is_there(role: Path) -> None:
    entry = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    assert number(entry["version_added"]) <= number(GALAXY["version"])


def test_every_module_and_role_is_in_a_release() -> None:
    released = list(CHANGES["releases"].values())
    modules = {one["name"] for release in released for one in release.get("modules", [])}
    roles = {one["name"] for release in released for one in release.get("objects", {}).get("role", [])}
    assert modules == set(module_names())
    assert roles == {path.name for path in ROLES}


def test_galaxy_takes_tags_licence_and_readme() -> None:
    tags = GALAXY["tags"]
    assert len(tags) <= MOST_TAGS
    assert all(TAG.fullmatch(tag) for tag in tags)
    assert KNOWN_TAGS & set(tags)
    assert GALAXY["license"] == ["GPL-3.0-or-later"]
    assert (ROOT / "LICENSE").read_text().split()[:6] == ["GNU", "GENERAL", "PUBLIC", "LICENSE", "Version", "3,"]
    assert "license_file" not in GALAXY
    for readme in (ROOT / GALAXY["readme"], *(role / "README.md" for role in ROLES)):
        assert readme.read_text().startswith("# ")


def test_all_code_has_the_licence_in_its_head() -> None:
    folders = ("plugins", "extensions", "tests")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.stat().st_size]
    assert files
    assert [str(path.relative_to(ROOT)) for path in files if not HEADER.match(path.read_text())] == []
