"""Lists and pairs on the command line."""

import pytest

from layerstats.cli import among, pairs_among
from layerstats.errors import ArgumentError


@pytest.mark.parametrize("text", ["a:t,s", "a:", ":a", "a:a", "a:b:c"])
def test_what_is_no_pair_is_refused(text):
    with pytest.raises(ArgumentError, match="takes two letters each"):
        pairs_among("pairs", text, "abcst")


@pytest.mark.parametrize("ask", [lambda: among("letters", "a,x", "ab"), lambda: pairs_among("letters", "a:x", "ab")])
def test_what_is_not_there_is_refused(ask):
    with pytest.raises(ArgumentError, match=r"'letters'.*'x'"):
        ask()
