"""The tree of messages as pure functions over (id, parent_id) pairs."""

from collections.abc import Iterable, Mapping, Sequence


def children_of(edges: Iterable[tuple[str, str | None]]) -> dict[str | None, list[str]]:
    """Ids by parent, each list oldest first (ids sort by time)."""
    children: dict[str | None, list[str]] = {}
    for message_id, parent_id in sorted(edges):
        children.setdefault(parent_id, []).append(message_id)
    return children


def newest_leaf(start: str, children: Mapping[str | None, Sequence[str]]) -> str:
    """Down from `start`, always to the newest child."""
    leaf = start
    while children.get(leaf):
        leaf = children[leaf][-1]
    return leaf


def branch_below(start: str, children: Mapping[str | None, Sequence[str]]) -> list[str]:
    """`start` and everything below it."""
    found, waiting = [], [start]
    while waiting:
        message_id = waiting.pop()
        found.append(message_id)
        waiting.extend(children.get(message_id, ()))
    return found


def path_to(leaf: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Root first."""
    path = []
    while leaf is not None:
        path.append(leaf)
        leaf = parents[leaf]
    return path[::-1]
