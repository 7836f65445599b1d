"""Every kind of result that claims are read from has its functions, and results of its name."""

import inspect

import pytest

import layerstats.stats
from layerstats.stats.claims.claim_registry import KINDS

TABLES = {"features", "judges", "set_ups", "stage_agreement", "stage_effects"}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_functions_are_there_and_take_the_same_options(name):
    kind = KINDS[name]
    find = set(inspect.signature(kind.function(kind.find)).parameters)
    for other in filter(None, (kind.notes, kind.stored)):
        # Options go to all of them; what is chosen otherwise is an option of the first alone.
        assert set(inspect.signature(kind.function(other)).parameters) <= find, other


@pytest.mark.parametrize("name", sorted(KINDS.keys() - TABLES))
def test_kinds_are_called_like_results(name):
    assert name in layerstats.stats.__all__ or name in ("Dataset", "RatingComparison")  # of xarray; of its room
