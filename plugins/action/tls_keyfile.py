# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, renews or checks a keyfile on the controller."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _keyfile as keyfile
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as certificates
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result

OPTIONS: dict[str, dict[str, Any]] = {
    "dest": {"type": "path"},
    "kind": {"type": "str", "choices": list(certificates.KINDS), "default": "server"},
    "common_name": {"type": "str"},
    "subject_alt_names": {"type": "list", "elements": "str", "default": []},
    "key_type": {"type": "str", "choices": list(certificates.KEY_TYPES), "default": "ecdsa-p256", "no_log": False},
    "valid_days": {"type": "int"},
    "renew_before": {"type": "int", "default": 30},
    "ca_keyfile": {"type": "path", "no_log": False},
    "certificate_path": {"type": "path"},
    "src": {"type": "path"},
    "ca_path": {"type": "path"},
    "backup": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
}
_DEFAULT_DAYS = {"ca": 3650, "server": 397, "client": 397}


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.tls_keyfile`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Judge the present file; unless in check mode, put the wanted one in its place."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(
            argument_spec=OPTIONS, mutually_exclusive=[("src", "ca_keyfile")], required_one_of=[("dest", "src")]
        )[1]
        try:
            certificates.require_library()
            return {**result, **_Task(options, check_mode=bool(self._task.check_mode)).run()}
        except CutoverError as error:
            return {**result, **failed_result(error)}


class _Task:
    """One run with checked options."""

    def __init__(self, options: dict[str, Any], check_mode: bool) -> None:
        self._options = options
        self._check_mode = check_mode
        self._now = datetime.now(timezone.utc)
        # Without a destination a given keyfile is only checked.
        self._dest = Path(options["dest"] or options["src"]).absolute()
        self._renew = timedelta(days=options["renew_before"])
        self._names = tuple(options["subject_alt_names"])
        for name in self._names:
            certificates.general_name(name, "subject_alt_names")
        if options["renew_before"] < 0:
            raise _wrong("renew_before", "is a number of days, 0 or more")

    def run(self) -> dict[str, Any]:
        """The result of the task."""
        before = keyfile.read(self._dest)
        given = self._options["src"] is not None
        verdict, pair = self._taken(before) if given else self._made(before)
        content = before if pair is None else certificates.keyfile_pem(pair)
        shown = certificates.read_keyfile(content, str(self._dest)) if content is not None else None
        files = {self._dest: (content, keyfile.KEY_MODE)} if self._options["dest"] else {}
        if self._options["certificate_path"] and shown is not None:
            path = Path(self._options["certificate_path"]).absolute()
            files[path] = (certificates.certificates_pem(shown.chain), keyfile.CERTIFICATE_MODE)
        changed = [path for path, (wanted, mode) in files.items() if self._differs(path, wanted, mode)]
        result: dict[str, Any] = {"backup_file": None}
        if not self._check_mode:
            if self._dest in changed and before is not None and before != content and self._options["backup"]:
                result["backup_file"] = keyfile.backup(self._dest, before, self._now)
            for path in changed:
                wanted, mode = files[path]
                keyfile.write(path, wanted or b"", mode)
        certificate = certificates.describe(shown.certificate) if shown is not None else None
        warnings = self._warnings(shown)
        return {
            **result,
            "changed": bool(changed),
            "path": str(self._dest),
            "reason": verdict.reason if verdict.reason != "fine" or not changed else "files",
            "reason_text": verdict.text,
            "certificate": certificate,
            "diff": {"before": _shown(before), "after": certificate or {}},
            **({"warnings": warnings} if warnings else {}),
        }

    def _differs(self, path: Path, wanted: bytes | None, mode: int) -> bool:
        return keyfile.read(path) != wanted or keyfile.mode_differs(path, mode)

    def _warnings(self, pair: certificates.Pair | None) -> list[str]:
        """A keyfile that was given cannot be renewed here."""
        if pair is None or self._options["src"] is None:
            return []
        ends = pair.certificate.not_valid_after_utc
        if ends - self._now > self._renew:
            return []
        return [f"the certificate of {self._options['src']} is valid until {ends:%Y-%m-%d %H:%M} UTC only"]

    # -- a keyfile of somebody else -----------------------------------------------------------------------------

    def _taken(self, before: bytes | None) -> tuple[keyfile.Verdict, certificates.Pair | None]:
        source = self._options["src"]
        pair = certificates.read_keyfile(_content(source, "src"), str(source))
        authorities: tuple[Any, ...] = ()
        if self._options["ca_path"]:
            path = str(self._options["ca_path"])
            authorities = certificates.read_certificates(_content(path, "ca_path"), path)
        problems = keyfile.check_given(pair, self._options["kind"], self._names, authorities, self._now)
        if problems:
            raise CutoverError("CUT-CERT-2", f"{source}: {'; '.join(problems)}", details={"problems": problems})
        if self._options["dest"] is None or before == certificates.keyfile_pem(pair):
            return keyfile.Verdict("fine"), None
        return keyfile.Verdict("given", f"taken from {source}"), pair

    # -- a keyfile of our own -----------------------------------------------------------------------------------

    def _made(self, before: bytes | None) -> tuple[keyfile.Verdict, certificates.Pair | None]:
        wanted = self._wanted()
        issuer = self._issuer(wanted)
        verdict = keyfile.judge(before, wanted, issuer, self._renew, self._now)
        if verdict.fine and self._options["force"]:
            verdict = keyfile.Verdict("forced", "force is set")
        return verdict, None if verdict.fine else certificates.make(wanted, issuer, self._now)

    def _wanted(self) -> certificates.Wanted:
        options = self._options
        kind = options["kind"]
        days = options["valid_days"] if options["valid_days"] is not None else _DEFAULT_DAYS[kind]
        if days <= options["renew_before"]:
            raise _wrong("valid_days", f"is {days}, which is not more than renew_before ({options['renew_before']})")
        name = options["common_name"] or (self._names[0] if self._names else None)
        if not name:
            raise _wrong("common_name", "is needed where subject_alt_names names nothing")
        if len(name) > 64:
            raise _wrong("common_name", "has more than 64 characters")
        if kind == "server" and not self._names:
            raise _wrong("subject_alt_names", "is needed for a server: the names and addresses that clients use")
        return certificates.Wanted(kind, name, self._names, options["key_type"], days)

    def _issuer(self, wanted: certificates.Wanted) -> certificates.Pair | None:
        path = self._options["ca_keyfile"]
        if wanted.kind == "ca":
            if path is not None:
                raise _wrong("ca_keyfile", "is not for kind=ca, whose certificate signs itself")
            return None
        if path is None:
            raise _wrong("ca_keyfile", f"is needed for kind={wanted.kind}: the keyfile of the CA that signs")
        issuer = certificates.read_keyfile(self._issuer_content(path), str(path))
        if certificates.kind_of(issuer.certificate) != "ca":
            raise _wrong("ca_keyfile", f"names {path}, which is no CA")
        if self._now > issuer.certificate.not_valid_after_utc:
            raise _wrong("ca_keyfile", f"names {path}, whose certificate has expired")
        return issuer

    def _issuer_content(self, path: str) -> bytes:
        """In check mode the CA may be one that an earlier task would have made: any other stands for it."""
        content = keyfile.read(Path(path))
        if content is None and self._check_mode:
            return certificates.keyfile_pem(certificates.make(certificates.Wanted("ca", "check mode"), None, self._now))
        return _content(path, "ca_keyfile") if content is None else content


def _content(path: str, field: str) -> bytes:
    content = keyfile.read(Path(path))
    if content is None:
        raise _wrong(field, f"names {path}, which is not there")
    return content


def _shown(content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    try:
        return certificates.describe(certificates.read_keyfile(content, "the keyfile").certificate)
    except CutoverError as error:
        return {"unparsable": error.message}


def _wrong(field: str, text: str) -> CutoverError:
    return CutoverError("CUT-CERT-3", f"{field} {text}", details={"field": field})
