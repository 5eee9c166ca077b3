# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Readings of what no source proves about the platform (platform facts §12); the default is the nastier."""

from __future__ import annotations

from tests.testbed.readings import Reading

READINGS = (
    Reading(
        1,
        "who answers under the host of the dashboard",
        {"dashboard-html": "every path gets an HTML page with status 200", "dashboard-api": "the API, too"},
    ),
    Reading(
        2,
        "where AuthenticateAPIKey takes its fields from",
        {"form": "form body or query", "query-only": "the query only: a form body is ignored"},
    ),
    Reading(
        3,
        "settings of the gateway's JSON writer (any of them)",
        {
            "as-proto": "names as in the proto, zeros left out, enums by name",
            "zeros": "zero values are written",
            "camel-case": "`pageSize` in place of `page_size`",
            "enum-numbers": "enums as numbers",
        },
    ),
    Reading(
        4,
        "form of a token",
        {"opaque": "random text", "jwt": "three parts with dots"},
    ),
    Reading(
        5,
        "`Retry-After` of 429 and 503",
        {"no-retry-after": "absent", "retry-after": "seconds", "retry-after-date": "an HTTP date"},
    ),
    Reading(
        6,
        "PATCH with a part of an object",
        {"replaced": "what is missing is cleared", "merged": "what is missing stays"},
    ),
    Reading(
        7,
        "comments in the ranges of an allowlist",
        {"comments-kept": "are stored in `cidr_ranges`", "comments-stripped": "are not stored"},
    ),
    Reading(
        7,
        "how a deployment refuses a client that is not in its allowlist",
        {"blocked-silent": "no answer at all", "blocked-reset": "the connection is cut"},
    ),
    Reading(
        9,
        "`type` of the only server of the models developer and free",
        {"singles": "`single`", "single-dbserver": "`dbserver`"},
    ),
    Reading(
        10,
        "what a read-only key may call",
        {"list-and-get": "List… and Get… only", "questions": "HasPermissions and IsBackup…Available, too"},
    ),
    Reading(
        11,
        "endpoints on the default port",
        {"no-port": "without a port", "with-port": "`…:443`"},
    ),
    Reading(
        11,
        "how a paused deployment's endpoints fail",
        {"paused-silent": "no answer at all", "paused-reset": "the connection is cut"},
    ),
    Reading(
        11,
        "the metrics endpoint",
        {"bare-metrics": "has no path", "metrics-path": "ends in `/metrics`"},
    ),
)
NOT_OBSERVABLE = {
    8: "what `root` may do is a reading of the cluster behind the deployment (17)",
}
