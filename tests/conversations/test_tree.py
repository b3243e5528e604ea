"""Laws of the tree, for any tree."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from app.conversations.tree import branch_below, children_of, newest_leaf, path_to

Edges = list[tuple[str, str | None]]


@st.composite
def trees(draw: st.DrawFn) -> Edges:
    """Each message hangs below an older one or is a root; ids sort by age, the list is in any order."""
    size = draw(st.integers(1, 40))
    edges: Edges = []
    for number in range(size):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        edges.append((f"{number:04}", None if parent is None else f"{parent:04}"))
    return draw(st.permutations(edges))


def parents_of(edges: Edges) -> Mapping[str, str | None]:
    return dict(edges)


@given(trees())
def test_children_are_all_edges_oldest_first(edges: Edges) -> None:
    children = children_of(edges)
    assert sorted((child, parent) for parent, found in children.items() for child in found) == sorted(edges)
    assert all(found == sorted(found) for found in children.values())


@given(trees())
def test_the_newest_leaf_is_below_its_start_and_has_no_child(edges: Edges) -> None:
    children, parents = children_of(edges), parents_of(edges)
    for start in parents:
        leaf = newest_leaf(start, children)
        assert leaf not in children
        assert start in path_to(leaf, parents)
        for step in path_to(leaf, parents):
            siblings = children[parents[step]]
            assert step == siblings[-1] or step in path_to(start, parents)


@given(trees())
def test_a_branch_is_exactly_what_has_its_start_on_its_path(edges: Edges) -> None:
    children, parents = children_of(edges), parents_of(edges)
    for start in parents:
        below = branch_below(start, children)
        assert len(below) == len(set(below))
        assert set(below) == {one for one in parents if start in path_to(one, parents)}


@given(trees())
def test_a_path_begins_at_a_root_and_each_step_is_a_child(edges: Edges) -> None:
    parents = parents_of(edges)
    for leaf in parents:
        path = path_to(leaf, parents)
        assert path[-1] == leaf
        assert [parents[step] for step in path] == [None, *path[:-1]]


def test_of_nothing_there_is_no_path() -> None:
    assert path_to(None, {}) == []


def test_depth_does_not_matter() -> None:
    edges: Edges = [(f"{n:06}", f"{n - 1:06}" if n else None) for n in range(20_000)]
    children = children_of(edges)
    assert newest_leaf("000000", children) == "019999"
    assert len(branch_below("000000", children)) == 20_000
