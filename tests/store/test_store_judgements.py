"""What judges say of outcomes: in the blocks of these, beside tables of judgements of clips."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from outcome_recorder import CREATED, STARTS, record
from recorder import contents
from recorder import record as record_layers

from layerstats.errors import ArgumentError, StoreError
from layerstats.store import JudgementWriter, check_store, describe, missing_together, open_store, store_table

RESPONSES = ["no", "ja", "ö", "(nothing)"]
SCORES = np.random.default_rng(1).random((12, 4)).astype("float32")
SAID = np.array(["no", None, "wä", *"abcdefghi"], dtype=object)


@pytest.fixture
def path(tmp_path):
    record(tmp_path / "s.zarr")
    return tmp_path / "s.zarr"


def judged(path, judge, responses, blocks=None, **options):
    options = {"key": "k", "created_at": CREATED, **options}
    with JudgementWriter(path, "autoencoder.n0", judge, responses, **options) as writer:
        for number, rows in enumerate(writer.missing()):
            if number == blocks:
                return
            writer.write(rows, {"response": SAID[rows]} if responses is None else {"score": SCORES[rows]})
        writer.finish()


def test_judgements_come_back_as_given(path):
    judged(path, "n1", RESPONSES, attrs={"judge_kind": "network"})
    judged(path, "people", None)
    experiment = open_store(path)
    table = experiment.judgements
    assert table[["name", "outcomes", "set_up", "network", "judge"]].to_numpy().tolist() == [
        [f"autoencoder.n0.{judge}", "autoencoder.n0", "autoencoder", "n0", judge] for judge in ("n1", "people")
    ]
    scores = experiment.judgement(judge="n1")
    assert scores["score"].dims == ("start", "response")
    np.testing.assert_array_equal(scores["score"], SCORES)
    assert scores["response"].to_numpy().tolist() == RESPONSES
    assert scores["start"].to_numpy().tolist() == STARTS["start"].tolist()
    assert scores.attrs["judge_kind"] == "network"
    said = experiment.judgement(outcomes="autoencoder.n0", network="n0", judge="people")
    assert said["response"].to_numpy().tolist() == ["no", "", *SAID[2:]]
    assert check_store(path) == []
    shown = describe(path)["Judgements"]
    assert shown.equals(table[list(shown.columns)])
    with pytest.raises(ArgumentError, match=r"no such judgements of outcomes \(judge='n2'\). There are: 'autoencoder"):
        experiment.judgement(judge="n2")
    with xr.open_datatree(path, engine="zarr") as tree:
        np.testing.assert_array_equal(tree["judgements/autoencoder.n0.n1/score"], SCORES)


def test_they_lie_beside_judgements_of_clips(path):
    record_layers(path)
    heard = pd.DataFrame({"token": ["t1"], "judge": "J", "response": "ask", "score": 0.5})
    store_table(path, "judgements", "J", heard)
    store_table(path, "judgements", "autoencoder.n0.K", heard)
    judged(path, "n1", RESPONSES)
    experiment = open_store(path)
    assert experiment.tables["name"].tolist() == ["J", "autoencoder.n0.K"]
    assert experiment.judgements["judge"].tolist() == ["n1"]
    assert experiment.table("judgements", "J")["score"].tolist() == [0.5]
    with pytest.raises(StoreError, match=r"has no table 'autoencoder.n0.n1' of judgements. There are: 'J'"):
        experiment.table("judgements", "autoencoder.n0.n1")
    before = contents(path)
    with pytest.raises(StoreError, match=r"holds a table 'autoencoder\.n0\.K' of judgements of clips"):
        judged(path, "K", RESPONSES)
    with pytest.raises(StoreError, match="already holds another table"):
        store_table(path, "judgements", "autoencoder.n0.n1", heard)
    assert contents(path) == before
    assert check_store(path) == []


def test_a_judge_goes_on_where_it_stopped_and_another_key_is_refused(path, tmp_path):
    judged(path, "n1", RESPONSES)
    whole = contents(path)
    record(tmp_path / "again.zarr")
    judged(tmp_path / "again.zarr", "n1", RESPONSES, blocks=2)
    with pytest.raises(StoreError, match=r"judgements of outcomes 'autoencoder.n0.n1' .* half-written: 10 of 12"):
        open_store(tmp_path / "again.zarr").judgement()
    judged(tmp_path / "again.zarr", "n1", RESPONSES)
    assert contents(tmp_path / "again.zarr") == whole
    with pytest.raises(StoreError, match=r"another set of judgements 'autoencoder.n0.n1' \(weights: None there, 'b'"):
        judged(path, "n1", RESPONSES, key="other", attrs={"weights": "b"})
    with pytest.raises(StoreError, match="variables"):
        judged(path, "n1", None)
    assert contents(path) == whole


def test_several_judges_take_a_block_together(path):
    judged(path, "n1", RESPONSES, blocks=1)
    writers = [JudgementWriter(path, "autoencoder.n0", judge, RESPONSES, key="k") for judge in ("n1", "n2")]
    taken = []
    for rows, lacking in missing_together(writers):
        taken.append((rows.start, [writer.name[-2:] for writer in lacking]))
        for writer in lacking:
            writer.write(rows, {"score": SCORES[rows]})
    assert taken == [(0, ["n2"]), (5, ["n1", "n2"]), (10, ["n1", "n2"])]


def test_what_cannot_be_judged_is_refused(path):
    with pytest.raises(ArgumentError, match=r"no such outcomes \(name='x'\). There are: 'autoencoder.n0'"):
        JudgementWriter(path, "x", "n1", RESPONSES, key="k")
    with pytest.raises(ArgumentError, match="must have responses, no one twice"):
        JudgementWriter(path, "autoencoder.n0", "n1", ["a", "a"], key="k")
    record(path, name="half", attrs={"set_up": "s", "network": "n"}, stop_after=1)
    with pytest.raises(StoreError, match="half-written: 5 of 12 starts"):
        JudgementWriter(path, "half", "n1", RESPONSES, key="k")
    assert open_store(path).judgements.empty
