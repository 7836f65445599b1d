"""Attempts of a store are what was written there, and are read in blocks."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.success import attempts, heard_scores, stored_attempts, success_rates
from layerstats.store import JudgementWriter, OutcomeWriter, open_store, outcome_variables, store_arrays

CLASSES = ["no", "up", "yes"]
NETWORKS = ["n0", "n1"]


def softmax(rng, targets, strength):
    scores = rng.random((len(targets), len(CLASSES)))
    scores[np.arange(len(targets)), [CLASSES.index(target) for target in targets]] += strength
    return (scores / scores.sum(axis=1, keepdims=True)).astype("float32")


class Written:
    """A store of two networks and a null, and what is in it."""

    def __init__(self, path, labels=CLASSES, change=None):
        self.path, self.scores, self.said, self.before = path, {}, {}, {}
        rng = np.random.default_rng(0)
        targets = np.repeat(["no", "yes"], 5)
        self.starts = pd.DataFrame({"target": targets, "number": np.tile(np.arange(5), 2)})
        self.starts["start"] = [f"{a}_{b:05}" for a, b in zip(targets, self.starts["number"], strict=True)]
        self.starts = self.starts.assign(seed=np.arange(10) + 2**40, token="")
        for name, null, strength in (("smooth", "", 0.8), ("smooth_zero", "zero_steps", 0.0)):
            for network in NETWORKS:
                place = f"{name}.{network}"
                self.before[place] = softmax(rng, targets, 0.0)
                self.scores[place, network] = softmax(rng, targets, strength)
                self.write_outcomes(place, network, null)
                other = NETWORKS[1 - NETWORKS.index(network)]
                self.scores[place, other] = softmax(rng, targets, strength / 2)
                self.said[place] = rng.choice([*CLASSES, "(nothing)"], 10).astype(object)
                if change is not None:
                    change(self.scores[place, other])
                self.write_judgements(place, other, list(labels), self.scores[place, other])
                self.write_judgements(place, "pocketsphinx", None, self.said[place])

    def write_outcomes(self, place, network, null):
        variables = outcome_variables({"code": 2}, classes=3)
        attrs = {"set_up": "smooth", "network": network, "null": null, "labels": "true", "trained": True}
        coords = {"class": ("class", CLASSES)}
        with OutcomeWriter(
            self.path, place, self.starts, variables, key="k", attrs=attrs, coords=coords, shard_starts=4
        ) as writer:
            for rows in writer.missing():
                values = {
                    one.name: np.zeros(
                        (len(self.starts), *(one.sizes[name] for name in one.dimensions[1:])), dtype=one.dtype
                    )[rows]
                    for one in variables
                }
                values["scores_before"] = self.before[place][rows]
                values["scores_after"] = self.scores[place, network][rows]
                writer.write(rows, values)
            writer.finish()

    def write_judgements(self, place, judge, responses, values):
        with JudgementWriter(self.path, place, judge, responses, key="k") as writer:
            for rows in writer.missing():
                writer.write(rows, {"response" if responses is None else "score": values[rows]})
            writer.finish()


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
