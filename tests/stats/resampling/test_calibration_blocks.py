"""A study that is stopped, goes on, and becomes larger."""

from __future__ import annotations

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import calibrate
from layerstats.stats.resampling.calibration import RECIPES, World
from layerstats.stats.resampling.calibration import running as blockwise

SMALL = World("small", speakers=6, tokens=3, points=10)
BY_NAME = {recipe.name: recipe for recipe in RECIPES}
MODEL, HELD, REFITTED = (BY_NAME[name] for name in ("AR", "permute tokens, held", "permute tokens, refit"))


def small(**options):
    return calibrate([SMALL], [MODEL], ["none"], seed=3, **options)


def test_a_study_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(blockwise, "BLOCK", 2)
    small(datasets=4, blocks=tmp_path / "blocks.csv")
    simulated = []

    def watched(world, recipe, truth, numbers, *rest):
        simulated.append(list(numbers))
        return calibrate_block(world, recipe, truth, numbers, *rest)

    calibrate_block = blockwise.calibrate_block
    monkeypatch.setattr(blockwise, "calibrate_block", watched)
    longer = small(datasets=5, blocks=tmp_path / "blocks.csv")
    assert simulated == [[4]]
    pd.testing.assert_frame_equal(longer, small(datasets=5))


def test_a_shorter_block_is_part_of_the_longer(tmp_path):
    small(datasets=2, blocks=tmp_path / "blocks.csv")
    longer = small(datasets=3, blocks=tmp_path / "blocks.csv")
    assert set(longer["datasets"]) == {3}
    pd.testing.assert_frame_equal(longer, small(datasets=3))


def test_other_options_do_not_meet_the_same_blocks(tmp_path):
    file = tmp_path / "blocks.csv"
    strict = small(datasets=20, alpha=0.001, blocks=file)
    lax = small(datasets=20, alpha=0.9, blocks=file)
    level = [table.set_index("quantity").loc["level", "share"] for table in (strict, lax)]
    assert level[0] < level[1]
    pd.testing.assert_frame_equal(small(datasets=20, alpha=0.001, blocks=file), strict)


def test_files_of_earlier_versions_say_nothing_of_alpha(tmp_path):
    file = tmp_path / "blocks.csv"
    whole = small(datasets=2, blocks=file)
    pd.read_csv(file).drop(columns="alpha").to_csv(file, index=False)
    pd.testing.assert_frame_equal(small(datasets=2, blocks=file), whole)
    pd.read_csv(file).drop(columns="squares").to_csv(file, index=False)
    with pytest.raises(DataError, match="'squares' is not in the file of blocks"):
        small(datasets=2, blocks=file)


def test_each_kind_of_recipe_has_its_own_number_of_data_sets():
    table = calibrate(
        [SMALL], [HELD, REFITTED, MODEL], ["level"], datasets=3, resampled=2, refitted=0, replicates=5, seed=3
    )
    assert table.groupby("recipe")["datasets"].unique().map(list).to_dict() == {"AR": [3], "permute tokens, held": [2]}


def test_progress_has_the_result_so_far(monkeypatch):
    monkeypatch.setattr(blockwise, "BLOCK", 2)
    seen = []
    result = small(datasets=3, progress=seen.append)
    assert [set(one["datasets"]) for one in seen] == [{2}, {3}]
    pd.testing.assert_frame_equal(seen[-1], result)


def test_what_is_unknown_is_named():
    with pytest.raises(ArgumentError, match=r"'worlds' parameter.*'few speakers x label'.* but got '9'"):
        calibrate(["9"])
    with pytest.raises(ArgumentError, match=r"'truths' parameter.*'shape', but got 'curve'"):
        calibrate([SMALL], truths=["curve"])
