import pandas as pd
import pytest

from layerstats.tables import check_frame


@pytest.mark.slow
def test_a_longer_run_goes_on_where_a_shorter_one_stopped(make, tmp_path):
    cell = ("--worlds", "3", "--truths", "none", "--replicates", "5", "--resampled", "0", "--refitted", "0")

    def calibrate(out, datasets):
        assert make("calibration", out, *cell, "--datasets", str(datasets)) == {"calibration"}
        return check_frame(pd.read_csv(out / "calibration.csv"))

    short = calibrate(tmp_path / "continued", 2)
    assert set(short["datasets"]) == {2}
    continued, whole = calibrate(tmp_path / "continued", 3), calibrate(tmp_path / "whole", 3)
    assert set(continued["datasets"]) == {3}
    keys = ["recipe", "quantity"]
    pd.testing.assert_frame_equal(*(table.sort_values(keys, ignore_index=True) for table in (continued, whole)))


@pytest.mark.slow
def test_models_come_before_resampling_and_held_smoothing_is_tried_without_a_difference(make, tmp_path):
    sizes = ("--datasets", "1", "--resampled", "1", "--refitted", "1", "--replicates", "3")
    make("calibration", tmp_path, "--worlds", "5", "--truths", "none,level", *sizes)
    table = pd.read_csv(tmp_path / "calibration.csv")
    held = table[table["recipe"].str.contains("held")]
    refitted = table[table["recipe"].str.contains("refit")]
    assert set(held["truth"]) == {"none"}
    assert set(refitted["truth"]) == {"none", "level"}
    kinds = pd.read_csv(tmp_path / "blocks.csv")["recipe"].str.extract(r"(refit|held)$")[0].fillna("model")
    assert kinds.drop_duplicates().tolist() == ["model", "refit", "held"]
