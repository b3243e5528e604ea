"""Random tokens: their shape, their digest, their derived successors."""

import pytest

from app.security import tokens


@pytest.mark.parametrize("prefix", [tokens.API_KEY, tokens.REFRESH, tokens.INVITE])
def test_a_token_is_long_random_and_recognised_by_its_own_prefix_only(prefix: str) -> None:
    made = {tokens.new_token(prefix) for _ in range(200)}
    assert len(made) == 200
    for token in made:
        assert tokens.is_token(prefix, token)
        others = {tokens.API_KEY, tokens.REFRESH, tokens.INVITE} - {prefix}
        assert not any(tokens.is_token(other, token) for other in others)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t + "\n", lambda t: t[:-1] + "é"])
def test_what_is_not_quite_a_token_is_none(change: object) -> None:
    assert callable(change)
    assert not tokens.is_token(tokens.API_KEY, change(tokens.new_token(tokens.API_KEY)))


def test_a_digest_tells_nothing_and_takes_any_text() -> None:
    token = tokens.new_token(tokens.API_KEY)
    assert token not in tokens.digest(token)
    assert len(tokens.digest(token)) == 64
    assert tokens.digest("\ud800") != tokens.digest("\ud801")
    assert tokens.equal("\ud800", "\ud800") and not tokens.equal("a", "é")


def test_a_successor_is_made_again_by_the_key_alone() -> None:
    token = tokens.new_token(tokens.REFRESH)
    first = tokens.successor(tokens.REFRESH, token, b"k" * 32)
    assert first == tokens.successor(tokens.REFRESH, token, b"k" * 32)
    assert tokens.is_token(tokens.REFRESH, first)
    assert first != tokens.successor(tokens.REFRESH, token, b"x" * 32)
    assert first != tokens.successor(tokens.REFRESH, tokens.new_token(tokens.REFRESH), b"k" * 32)
