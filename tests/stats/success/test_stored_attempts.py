"""Attempts of a store are what was written there, and are read in blocks."""

import shutil

import numpy as np
import pandas as pd
import pytest
from judged_store import CLASSES, NETWORKS, Written

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.success import attempts, heard_scores, stored_attempts, success_rates
from layerstats.store import open_store, store_arrays


@pytest.fixture
def written(tmp_path):
    return Written(tmp_path / "s.zarr")


def test_a_row_a_start_and_judge(written, monkeypatch):
    table = attempts(open_store(written.path))
    assert len(table) == 4 * 10 * 3
    monkeypatch.setattr(stored_attempts, "BLOCK", 3)
    pd.testing.assert_frame_equal(attempts(open_store(written.path)), table)
    for name, null in (("smooth", ""), ("smooth_zero", "zero_steps")):
        for network in NETWORKS:
            own = table[(table["network"] == network) & (table["null"] == null)]
            for judge in NETWORKS:
                rows = own[own["judge"] == judge]
                scores = written.scores[f"{name}.{network}", judge]
                assert rows["response"].tolist() == [CLASSES[best] for best in scores.argmax(axis=1)]
                places = [CLASSES.index(target) for target in rows["target"]]
                np.testing.assert_allclose(rows["score"], scores[np.arange(10), places])
                assert rows["start"].tolist() == written.starts["start"].tolist()
                assert rows["seed"].tolist() == written.starts["seed"].tolist()
            rows = own[own["judge"] == "pocketsphinx"]
            assert rows["response"].tolist() == list(written.said[f"{name}.{network}"])
            assert rows["score"].isna().all()
            before = written.before[f"{name}.{network}"].argmax(axis=1)
            assert rows["response_before"].tolist() == [CLASSES[best] for best in before]
    assert success_rates(table).summary["null_zero_steps"].notna().any()


def test_set_ups_classes_and_judges_are_chosen(written):
    experiment = open_store(written.path)
    assert set(attempts(experiment, targets=["yes"])["target"]) == {"yes"}
    assert set(attempts(experiment, judges=["pocketsphinx"])["judge"]) == {*NETWORKS, "pocketsphinx"}
    with pytest.raises(DataError, match="Nobody attempted the class 'up'"):
        attempts(experiment, targets=["yes", "up"])
    with pytest.raises(DataError, match=r"no set-up 'rough' .* Its set-ups are: smooth"):
        attempts(experiment, set_ups=["rough"])
    with pytest.raises(DataError, match="The judge 'people' has judged nothing"):
        attempts(experiment, judges=["people"])


def test_mean_scores_of_every_response(written):
    means = heard_scores(open_store(written.path))
    assert set(means["judge"]) == set(NETWORKS)
    row = means.set_index(["null", "network", "judge", "target", "response"]).loc[("", "n0", "n1", "yes", "up")]
    rows = written.starts["target"] == "yes"
    assert row["mean_score"] == pytest.approx(written.scores["smooth.n0", "n1"][rows, 1].mean())
    sums = means.groupby(["null", "network", "judge", "target"])["mean_score"].sum()
    np.testing.assert_allclose(sums, 1, rtol=1e-5)
    new = heard_scores(open_store(written.path), denominator="not the target already")
    kept = rows & (written.before["smooth.n0"].argmax(axis=1) != 2)
    assert 0 < kept.sum() < 5
    row = new.set_index(["null", "network", "judge", "target", "response"]).loc[("", "n0", "n1", "yes", "up")]
    assert row["mean_score"] == pytest.approx(written.scores["smooth.n0", "n1"][kept, 1].mean())
    with pytest.raises(ArgumentError, match="denominator"):
        heard_scores(open_store(written.path), denominator="some")


def test_what_a_judge_was_not_asked_about_is_no_judgement(tmp_path):
    def forget(scores):
        scores[2] = np.nan

    table = attempts(open_store(Written(tmp_path / "s.zarr", change=forget).path))
    asked = table[(table["judge"] == "n1") & (table["network"] == "n0") & (table["null"] == "")]
    assert len(asked) == 9
    assert "no_00002" not in set(asked["start"])


def test_bad_judgements_are_refused(tmp_path):
    def spoil(scores):
        scores[3, 1] = np.nan

    cases = [
        ("other_order", {"labels": ["yes", "no", "up"]}, "same responses as the target network in another order"),
        ("other_words", {"labels": ["no", "up", "down"]}, "does not know the class 'yes'"),
        ("not_a_number", {"change": spoil}, "scores that are no numbers"),
    ]
    for name, options, message in cases:
        with pytest.raises(DataError, match=message):
            attempts(open_store(Written(tmp_path / f"{name}.zarr", **options).path))


def test_a_store_without_outcomes_is_told(tmp_path):

    tokens = pd.DataFrame({"token": ["a"], "word": "ask", "speaker": "s", "split": "test"})
    path = store_arrays(tmp_path / "s.zarr", tokens, {"conv1": np.zeros((1, 2))}, time_s={"conv1": [0.0, 0.5]})
    with pytest.raises(DataError, match="holds no outcomes of maximizations"):
        attempts(open_store(path))


def test_rungs_of_a_ladder_are_not_counted_together(written):
    """Outcomes of one set-up at two numbers of steps have the same starts."""
    for name in ("outcomes", "judgements"):
        for folder in sorted((written.path / name).iterdir()):
            if folder.is_dir():
                shutil.copytree(folder, folder.with_name(f"{folder.name}.again"))
    first = sorted(path.name for path in (written.path / "outcomes").iterdir() if path.is_dir())[0]
    with pytest.raises(DataError, match=f"made with different settings: .*{first}.again"):
        attempts(open_store(written.path))
    names = [name for name in open_store(written.path).outcomes["name"] if not name.endswith(".again")]
    assert len(attempts(open_store(written.path), outcomes=names)) == 4 * 10 * 3
