# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs all rules at the same time, each with its own verdict, whatever the others do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from typing import Any, Optional

from ..._core.errors import CutoverError
from ..spec import PRECHECK_OPTIONS, Spec, parse, parse_options
from .capabilities import CAPABILITIES
from .capability import Capability, Seen
from .context import Asked, Context, Environment
from .forecast import make as make_forecast
from .outcome import BlockedError, Outcome, Row, bad, skipped, unanswered, unknown
from .registry import ROWS
from .report import BLOCKING, PrecheckResult, check_of, result_of, status_of

DEADLINE = 90.0
_OPTIONS_ROW = "input-options"
# What rules raise when an answer has another form than the facts say.
_ODD_ANSWER = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def run(
    context: Context, rows: Sequence[Row] = ROWS, deadline: float = DEADLINE, *,
    capabilities: Sequence[Capability] = (),
) -> PrecheckResult:  # fmt: skip
    """Evaluate every row, probe capabilities and make the forecast that was asked for, all in parallel threads.

    It takes at most ``deadline`` seconds. Closes the context.
    """
    context.known_rows = {row.id: row.acceptable for row in rows}
    pool = ThreadPoolExecutor(max_workers=len(rows) + len(capabilities) + 1, thread_name_prefix="precheck")
    try:
        futures = [pool.submit(_evaluate, row, context) for row in rows]
        probes = [pool.submit(_see, capability, context) for capability in capabilities]
        foreseen = [pool.submit(make_forecast, context)] if context.asked.forecast else []
        tasks: list[Future[Any]] = [*futures, *probes, *foreseen]
        wait_for(tasks, timeout=deadline)
        outcomes = [_outcome(future, deadline) for future in futures]
        seen = [_seen(probe, deadline) for probe in probes]
        forecast = next((one.result() for one in foreseen if one.done()), None)
    finally:
        context.close()
        pool.shutdown(wait=False, cancel_futures=True)
    found = _judge(context.spec, rows, outcomes)
    answers = [one.answer(what) for one, what in zip(capabilities, seen)]
    return replace(found, capabilities=answers, forecast=forecast)


def run_whole(context: Context, deadline: float = DEADLINE) -> PrecheckResult:
    """Like ``run`` with everything that there is to ask."""
    return run(context, deadline=deadline, capabilities=CAPABILITIES)


def run_request(request: Mapping[str, Any], environment: Environment, deadline: float = DEADLINE) -> PrecheckResult:
    """Like ``run_whole`` for a request that was not checked yet: a refused one is a single failed row.

    It is a start request with the options of ``PRECHECK_OPTIONS`` besides.
    """
    try:
        own = {name: value for name, value in request.items() if name in PRECHECK_OPTIONS}
        asked = Asked(**parse_options(own, PRECHECK_OPTIONS), forecast=True)
        spec = parse({name: value for name, value in request.items() if name not in own})
        environment.pins.check(spec)
    except CutoverError as error:
        row = next(one for one in ROWS if one.id == _OPTIONS_ROW)
        outcome = bad(error.message, remedy=error.remedy, **error.details)
        return result_of([check_of(row, outcome, "failed", "")], complete=False, passes=False)
    return run_whole(Context(spec, environment, asked=asked), deadline + asked.sample_seconds)


def _judge(spec: Spec, rows: Sequence[Row], outcomes: Sequence[tuple[Outcome, bool]]) -> PrecheckResult:
    checks = []
    complete = passes = True
    for row, (outcome, blocked) in zip(rows, outcomes):
        status = status_of(row, outcome, row.id in spec.accepted, spec.ignore_metrics)
        checks.append(check_of(row, outcome, status, spec.accepted.get(row.id, "")))
        complete = complete and not (blocked and row.severity == "error")
        passes = passes and (outcome.passes or status not in BLOCKING)
    return result_of(checks, complete, passes)


def _see(capability: Capability, context: Context) -> Optional[Seen]:
    """What the probe saw; None where nothing was tried."""
    try:
        if capability.tried:
            tried = context.trial()
            return None if tried is None else tried.seen.get(capability.id, Seen(None, tried.problem or "not tried"))
        return None if capability.probe is None else capability.probe(context)
    except BlockedError as error:
        return Seen(None, f"not probed: {error}")
    except CutoverError as error:
        return Seen(None, f"could not be found out: {error.message}")
    except _ODD_ANSWER as error:
        return Seen(None, f"could not be found out: unexpected answer ({type(error).__name__}: {error})")


def _seen(probe: Future[Optional[Seen]], deadline: float) -> Optional[Seen]:
    return probe.result() if probe.done() else Seen(None, f"no result within {deadline:g} s")


def _outcome(future: Future[tuple[Outcome, bool]], deadline: float) -> tuple[Outcome, bool]:
    if future.done():
        return future.result()
    return unknown(f"no result within {deadline:g} s"), False


def _evaluate(row: Row, context: Context) -> tuple[Outcome, bool]:
    """The outcome, and whether the rule had to be left out because of what another row reports."""
    if row.passing and context.resuming:
        return skipped("a migration that goes on lives with it"), False
    try:
        return row.rule(context), False
    except BlockedError as error:
        return skipped(f"not checked: {error}"), True
    except CutoverError as error:
        return unanswered(error), False
    except _ODD_ANSWER as error:
        return unknown(f"could not be measured: unexpected answer ({type(error).__name__}: {error})"), False
    except OSError as error:
        return unknown(f"could not be measured: {error.strerror or error}"), False
