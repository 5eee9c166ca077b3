# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of what is chosen and overridden: patterns without match, what is left out or torn, copies, layout."""

from __future__ import annotations

from ..choice import read_graphs
from ..exactness import prints_exactly
from ..inventory import Inventory, parse
from ..selection import TORN_ROW
from .context import Context
from .outcome import Outcome, Row, bad, good, listed


def _definitions(context: Context) -> Inventory:
    """Everything on the source, without analyzers: nothing here depends on them."""
    return {name: parse(name, document, {"result": []}) for name, document in context.source.whole_inventory().items()}


def _patterns(context: Context) -> Outcome:
    selection = context.spec.selection
    if selection.is_everything:
        return good("nothing is left out")
    names = selection.unmatched(_definitions(context))
    if names:
        return bad(f"nothing on the source matches: {listed(names)}", names=names[:100])
    return good("every pattern of include and exclude matches something")


def _left_out(context: Context) -> Outcome:
    selection = context.spec.selection
    if selection.is_everything:
        return good("nothing is left out")
    found = selection.left_out(_definitions(context))
    texts = [f"{kind}: {listed(names)}" for kind, names in found.items() if names]
    measured = {kind: names[:100] for kind, names in found.items()}
    return good(f"left out are {'; '.join(texts)}" if texts else "nothing is left out", **measured)


def _torn(context: Context) -> Outcome:
    selection = context.spec.selection
    if selection.is_everything:
        return good("nothing is torn apart")
    source = _definitions(context)
    found = selection.torn(source, read_graphs(context.source.coordinators(), selection, source))
    left = [item for item in found if item.accepted_as not in context.spec.accepted]
    if not left:
        names = [str(item) for item in found]
        return good(f"torn apart and accepted: {listed(names)}" if names else "nothing is torn apart", names=names)
    ids = [item.accepted_as for item in left]
    return bad(
        f"what is left out is needed: {listed([item.text for item in left])}",
        remedy=f"Include what they need, exclude them too, or accept each by its own id, such as {ids[0]}.",
        names=ids[:100],
    )


def _copies(context: Context) -> Outcome:
    overrides = context.spec.shape.overrides
    names = [one.label for one in context.collections() if overrides.exceeds(one.database, one.parameters)]
    if names:
        return bad(f"write_concern is more than the copies of {listed(names)}", names=names[:100])
    return good("every wanted write concern can be kept")


def _layout(context: Context) -> Outcome:
    layout = context.spec.shape.layout
    if layout.is_same:
        return good("every collection keeps its number of shards and its revisions")
    chosen = context.spec.selection.apply(_definitions(context))
    denied = layout.denied(chosen)
    if denied:
        return bad(listed([item.text for item in denied]), names=[item.where for item in denied][:100])
    changed = [
        f"{database.name}/{item.name}"
        for database in layout.apply(chosen).values()
        for item in database.collections.values()
        if item.selected and not item.likeness.keeps_revisions
    ]
    version = context.source.version()
    if changed and not prints_exactly(str(version)):
        text = f"the source ({version}) rounds numbers beyond 2^53 when it shows documents"
        return bad(
            f"{text}, so that the contents of {listed(changed)} cannot be compared",
            remedy="Upgrade the source to 3.11.12, 3.12.3 or newer, or choose rev_policy keep and the source's shards.",
            names=changed[:100],
        )
    text = f"the target makes revisions of its own for {listed(changed)}" if changed else "no collection is chosen"
    return good(text, names=changed[:100])


ROWS = (
    Row(
        "features-patterns", "features", "error", "Every pattern of include and exclude matches something", _patterns,
        "Correct the pattern: upper and lower case differ. Or accept it, if what it is for comes later.",
        why="A misspelt pattern leaves out, or takes along, what nobody meant.",
    ),
    Row(
        "features-left-out", "features", "info", "What include and exclude leave out is named", _left_out,
        "Nothing has to be done.",
        why="What is left out is neither copied nor verified; users get no grants on it on the target. The cutover "
        "makes the whole source read-only all the same: give it back for the rest by the module server_mode.",
    ),
    Row(
        TORN_ROW, "features", "error", "Nothing that is migrated needs what is left out", _torn,
        "Include what they need, exclude them too, or accept each by its own id, which the message shows.",
        acceptable=False,
        why="A graph lacks its collections on the target then, a view shows less than on the source, and a "
        "collection that was placed like another one is placed by itself. Each is accepted by an id of its own, "
        "such as `features-torn:graph shop/net`.",
    ),
    Row(
        "features-copies", "features", "error", "Every wanted write concern can be kept", _copies,
        "Lower write_concern or raise replication_factor. Accepted, as many copies as there are must confirm a write.",
        why="A collection whose write concern is more than its copies could never be written.",
    ),
    Row(
        "features-layout", "features", "error", "Every wanted number of shards and revision policy can be had", _layout,
        "Choose rev_policy regenerate for collections that get another number of shards, and give those that the "
        "message names the source's number and the policy keep by patterns of their own.",
        acceptable=False,
        why="A revision is unique only within a shard: kept in another layout, one of two documents would silently "
        "overwrite the other. With new revisions documents are compared by their contents, which needs `_key` to "
        "choose the shard.",
    ),
)  # fmt: skip
