"""Which alignments a store knows, and what people call them."""

import pytest
from letter_stores import store_letters

from layerstats.errors import ArgumentError, StoreError
from layerstats.stats import alignment_name, stored_alignments


def test_a_store_says_what_windows_can_be_aligned_by(tmp_path):
    experiment, *_ = store_letters(tmp_path / "s.zarr")
    found = stored_alignments(tmp_path / "s.zarr")
    assert [(one.alignment, one.recording, one.name) for one in found] == [
        ("none", None, "none"),
        ("max_relevance", "adapted", "maximum of adapted relevance"),
        ("min_relevance", "adapted", "minimum of adapted relevance"),
    ]
    chosen = stored_alignments(experiment, ["adapted:max_relevance_by_time", "none"])
    assert [one.written for one in chosen] == ["adapted:max_relevance_by_time", "none"]
    assert chosen[0].name == "time step of largest adapted relevance"
    with pytest.raises(ArgumentError, match="gradient:max_relevance"):
        stored_alignments(experiment, ["gradient:max_relevance"])


def test_a_store_without_alignments_has_the_middle_only(tmp_path):
    experiment, *_ = store_letters(tmp_path / "s.zarr", alignments=False)
    with pytest.raises(StoreError, match="--alignments"):
        stored_alignments(experiment)
    assert [one.written for one in stored_alignments(experiment, ["none"])] == ["none"]


def test_alignments_are_named_by_method():
    assert alignment_name("min_relevance", "gradient") == "minimum of the gradient"
    assert alignment_name("max_relevance", "epsilon") == "maximum of epsilon relevance"
    assert alignment_name("phone_centre") == "phone centre"
