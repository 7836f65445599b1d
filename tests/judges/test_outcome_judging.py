"""Every judge hears what was made for every network: directly, as sound, or in a table of what people said."""

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError, AudioError, DataError, StoreError
from layerstats.judges import NetworkJudge, People, WordsClassifier, judge, judge_speech, outcome_judging
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    MelAutoencoder,
    ModelCard,
    load_checkpoint,
    save_checkpoint,
    seeded,
)
from layerstats.probes import maximize_activations, outcome_speech, record_nulls, rendered
from layerstats.stats.success import attempts
from layerstats.store import OutcomeWriter, VariableSpec, check_store, open_store
from layerstats.store.outcome_writer import START_COLUMNS

LOUDNESS = runpy.run_path(str(Path(__file__).with_name("loudness.py")))["Loudness"]
WORDS = ("yes", "no", "up")
FRONT_END = {
    "rate_hz": 8000, "samples": 4000, "n_fft": 256, "hop": 64, "mels": 24, "low_hz": 100.0, "high_hz": 3800.0,
    "frames": 72,
}  # fmt: skip
STARTS = 3


def checkpoint(folder, name, seed, outputs=WORDS, **front_end):
    with seeded(seed):
        network = CommandClassifier(len(outputs), (2, 2, 2), (8, 8, 8), front_end={**FRONT_END, **front_end})
    save_checkpoint(folder / f"{name}.safetensors", network, ModelCard(name, "a test", outputs=tuple(outputs)))
    return str(folder / f"{name}.safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two networks of the same words in another order, one of other words, one of another front end."""
    folder = tmp_path_factory.mktemp("networks")
    checkpoint(folder, "a", 0)
    checkpoint(folder, "b", 1, outputs=WORDS[::-1])
    checkpoint(folder, "few", 2, outputs=WORDS[:2])
    checkpoint(folder, "wide", 3, n_fft=512)
    (folder / "other").mkdir()
    checkpoint(folder / "other", "a", 9)
    with seeded(4):
        autoencoder = MelAutoencoder(front_end=FRONT_END, codes=6)
    save_checkpoint(folder / "decoder.safetensors", autoencoder, ModelCard("decoder", "a test"))
    with seeded(5):
        waves = ConvolutionalEncoder(3, width=1, samples=8192)
    save_checkpoint(folder / "waves.safetensors", waves, ModelCard("waves", "a test", outputs=WORDS))
    return folder


def maximized(path, folder, network="a", **options):
    loaded, card = load_checkpoint(folder / f"{network}.safetensors")
    options = {"starts": STARTS, "steps": 2, "batch_size": 4, "device": "cpu", **options}
    return maximize_activations(loaded, list(WORDS), path, card=card, network_name=network, **options)


@pytest.fixture(scope="module")
def made(folder):
    for network in ("a", "b"):
        maximized(folder / "made.zarr", folder, network)
    return folder / "made.zarr"


@pytest.fixture
def path(tmp_path, made):
    return shutil.copytree(made, tmp_path / "s.zarr")


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def files(folder, *names):
    return [str(folder / f"{name}.safetensors") for name in names]


def test_every_network_judges_what_was_made_for_every_other(path, folder):
    experiment = judge(path, files(folder, "a", "b"), device="cpu")
    pairs = experiment.judgements[["network", "judge", "judge_hears"]].to_numpy().tolist()
    assert pairs == [[network, by, "features"] for network in "ab" for by in "ab"]
    for network in "ab":
        outcome = experiment.outcome(network=network)
        own = experiment.judgement(network=network, judge=network)["score"]
        # By name: the labels of the two are in another order.
        np.testing.assert_allclose(
            own.sel(response=list(WORDS)), outcome["scores_after"].sel({"class": list(WORDS)}), atol=1e-5
        )
        other = {"a": "b", "b": "a"}[network]
        loaded, card = load_checkpoint(folder / f"{other}.safetensors")
        with torch.no_grad():
            wanted = torch.softmax(loaded.eval()(torch.from_numpy(rendered(outcome))), dim=1).numpy()
        scores = experiment.judgement(network=network, judge=other)["score"]
        # In the order of the target network's classes, whatever that of the judge.
        assert scores["response"].to_numpy().tolist() == outcome["class"].to_numpy().tolist() != list(card.outputs)
        np.testing.assert_allclose(scores.sel(response=list(card.outputs)), wanted, atol=1e-5)
    table = attempts(experiment)
    assert set(table["judge"]) == {"a", "b"}
    scored = table.loc[(table["network"] == "a") & (table["judge"] == "b")]
    expected = experiment.judgement(network="a", judge="b")["score"].sel(start="up_00001", response="up")
    np.testing.assert_allclose(scored.set_index("start").loc["up_00001", "score"], float(expected))
    assert check_store(path) == []


def test_the_same_call_does_nothing_and_new_judges_come_at_any_time(path, folder, monkeypatch):
    judge(path, files(folder, "a"))
    before = contents(path)
    monkeypatch.setattr(WordsClassifier, "scores", lambda *_: pytest.fail("asked twice"))
    judge(path, files(folder, "a"))
    assert contents(path) == before
    monkeypatch.undo()
    judge(path, files(folder, "a", "b"), networks=["b"])
    assert open_store(path).judgements["name"].tolist() == ["none.a.a", "none.b.a", "none.b.b"]
    after = contents(path)
    assert {name: after[name] for name in before if name != "zarr.json"} == {
        name: content for name, content in before.items() if name != "zarr.json"
    }


def test_others_hear_the_sound(path, folder):
    experiment = judge(path, [*files(folder, "waves"), "pocketsphinx", LOUDNESS()], networks=["a"])
    table = experiment.judgements.set_index("judge")
    assert table["judge_hears"].to_dict() == dict.fromkeys(("waves", "pocketsphinx", "loudness"), "sound")
    assert set(table["judge_vocoder"]) == {"griffin_lim"}
    assert table.loc["pocketsphinx", "judge_words"] == list(WORDS)
    heard = experiment.judgement(judge="pocketsphinx")["response"].to_numpy()
    assert set(heard) <= {*WORDS, "(nothing)"}
    speech = outcome_speech(experiment, network="a")
    clips = outcome_judging._clips(speech)
    loud = LOUDNESS().judge(clips).pivot_table(index="token", columns="response", values="score")
    stored = experiment.judgement(judge="loudness")["score"]
    wanted = loud.loc[stored["start"].to_numpy().astype(object), ["loud", "soft"]]
    np.testing.assert_allclose(stored, wanted, atol=1e-6)
    waves = judge_speech(clips, files(folder, "waves"))
    wanted = waves.set_index(["token", "response"])["score"].unstack()[list(WORDS)]
    stored = experiment.judgement(judge="waves")["score"]
    np.testing.assert_allclose(stored, wanted.loc[stored["start"].to_numpy().astype(object)], atol=1e-5)


def test_a_network_that_hears_waveforms_needs_no_vocoder(tmp_path, folder):
    maximized(tmp_path / "s.zarr", folder, "waves")
    experiment = judge(tmp_path / "s.zarr", [*files(folder, "waves", "a"), LOUDNESS()])
    assert experiment.judgements.set_index("judge")["judge_hears"].to_dict() == {
        "waves": "waveforms", "a": "sound", "loudness": "sound",
    }  # fmt: skip
    outcome = experiment.outcome()
    np.testing.assert_allclose(experiment.judgement(judge="waves")["score"], outcome["scores_after"], atol=1e-5)
    assert "judge_vocoder" not in experiment.judgement(judge="a").attrs


def test_codes_are_decoded_by_the_prior_that_made_them(tmp_path, folder):
    path, prior = tmp_path / "s.zarr", f"autoencoder:{folder / 'decoder.safetensors'}"
    maximized(path, folder, prior=prior)
    with pytest.raises(ArgumentError, match="autoencoder:FILE"):
        judge(path, files(folder, "a"))
    assert open_store(path).judgements.empty
    experiment = judge(path, files(folder, "a", "b"), priors=[prior])
    outcome = experiment.outcome()
    assert outcome["codes_after"].dims == ("start", "code")
    np.testing.assert_allclose(experiment.judgement(judge="a")["score"], outcome["scores_after"], atol=1e-5)


def test_people_are_a_judge(path, tmp_path):
    starts = open_store(path).outcome(network="a")["start"].to_numpy().astype(object)
    rows = [(starts[0], "r1", "yes"), (starts[0], "r2", "hm"), (starts[0], "r3", "yes"), (starts[4], "r1", "no")]
    table = pd.DataFrame(rows, columns=["token", "rater", "response"])
    table.to_csv(tmp_path / "heard.csv", index=False)
    experiment = judge(path, [f"people:{tmp_path / 'heard.csv'}"], networks=["a"])
    said = experiment.judgement(judge="people")
    assert said.attrs["judge_hears"] == "elsewhere"
    assert said.attrs["judge_raters"] == 3
    scores = said["score"].to_numpy()
    # Nobody said "up", and somebody what is no class.
    assert said["response"].to_numpy().tolist() == ["yes", "no", "up", "hm"]
    np.testing.assert_allclose(scores[0], [2 / 3, 0, 0, 1 / 3], atol=1e-6)
    np.testing.assert_allclose(scores[4], [0, 1, 0, 0])
    assert np.isnan(np.delete(scores, [0, 4], axis=0)).all()
    asked = attempts(experiment, judges=["people"]).query("judge == 'people'").set_index("start")
    assert asked["response"].astype(str).to_dict() == {starts[0]: "yes", starts[4]: "no"}
    with pytest.raises(DataError, match="need the columns 'set_up' and 'network': there are 2 sets"):
        judge(path, [People(table)])
    placed = table.assign(set_up="none", network=["a", "a", "a", "b"])
    experiment = judge(path, [People(placed, name="crowd")])
    heard = {network: experiment.judgement(network=network, judge="crowd")["score"] for network in "ab"}
    assert [np.flatnonzero(~np.isnan(scores[:, 0])).tolist() for scores in heard.values()] == [[0], [4]]
    for strange in (placed.assign(token="yes_99999"), placed.assign(set_up="smoth")):
        others = People(strange.drop_duplicates(["token", "network", "rater"]), name="others")
        with pytest.raises(DataError, match="identifications of 'others' are of no start"):
            judge(path, [others])
    assert "others" not in set(open_store(path).judgements["judge"])


def test_nulls_are_judged_too_and_people_heard_what_their_table_says(path, folder):
    loaded, card = load_checkpoint(folder / "a.safetensors")
    options = {"starts": STARTS, "steps": 2, "batch_size": 4, "device": "cpu", "card": card, "network_name": "a"}
    record_nulls(loaded, list(WORDS), path, ["zero_steps"], **options)
    heard = pd.DataFrame({"token": ["yes_00000"] * 2, "rater": ["r1", "r2"], "response": ["no", "up"]})
    experiment = judge(path, [*files(folder, "b"), People(heard)], networks=["a"])
    assert experiment.judgements[["null", "judge"]].to_numpy().tolist() == [
        ["", "b"], ["", "people"], ["zero_steps", "b"], ["zero_steps", "people"],
    ]  # fmt: skip
    asked = {null: experiment.judgement(judge="people", null=null)["score"] for null in ("", "zero_steps")}
    assert {null: int((~np.isnan(scores[:, 0])).sum()) for null, scores in asked.items()} == {"": 1, "zero_steps": 0}
    judge(path, [People(heard.assign(outcomes="none.a.zero_steps"), name="crowd")], networks=["a"])
    crowd = {null: open_store(path).judgement(judge="crowd", null=null)["score"] for null in ("", "zero_steps")}
    assert {null: int((~np.isnan(scores[:, 0])).sum()) for null, scores in crowd.items()} == {"": 0, "zero_steps": 1}
    with pytest.raises(DataError, match=r"of outcomes of maximizations \(column 'outcomes'\), but not these tokens"):
        judge_speech(demo_corpus(words=["wash"], voices=1), [People(heard.assign(outcomes="x"))])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="rater"), "'rater'"),
        (lambda table: pd.concat([table, table]), "The rater 'r1' heard 'a' twice"),
        (lambda table: table.assign(response=[None, "x"]), "response"),
        (lambda table: table.iloc[:0], "no rows"),
    ],
)
def test_what_is_no_table_of_identifications(change, message):
    table = pd.DataFrame({"token": ["a", "b"], "rater": ["r1", "r1"], "response": ["yes", "no"]})
    with pytest.raises(DataError, match=message):
        People(change(table))


@pytest.mark.slow
def test_killed_judging_goes_on_to_the_same_bytes(path, folder, tmp_path, monkeypatch):
    """Killed when the second block of a judge is about to get its name."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767323045")
    twin = tmp_path / "twin.zarr"
    shutil.copytree(path, twin)
    script = textwrap.dedent("""
        import os, signal, sys
        from layerstats.judges import judge
        replace, left = os.replace, [int(sys.argv[1])]
        def killing(source, target):
            if "/judgements/" in str(target) and "/c/" in str(target):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            replace(source, target)
        os.replace = killing
        judge(sys.argv[2], sys.argv[3:], networks=["a"], device="cpu")
        """)
    judges = files(folder, "a", "b")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    ended = [
        subprocess.run([sys.executable, "-c", script, kill, str(where), *judges], check=False).returncode
        for kill, where in (("999", path), ("6", twin), ("999", twin))
    ]
    assert ended == [0, -signal.SIGKILL, 0]
    assert contents(twin) == contents(path)


def test_a_judge_with_the_name_and_not_the_weights_of_the_target_is_refused(path, folder):
    before = contents(path)
    with pytest.raises(StoreError, match="made for a network 'a' with other weights"):
        judge(path, [str(folder / "other" / "a.safetensors")])
    assert contents(path) == before


def test_another_judge_of_a_name_is_refused_and_nothing_overwritten(path, folder):
    judge(path, [str(folder / "other" / "a.safetensors")], networks=["b"])
    before = contents(path)
    with pytest.raises(StoreError, match=r"another set of judgements 'none\.b\.a' \(judge_checkpoint_sha256"):
        judge(path, files(folder, "a"), networks=["b"])
    assert contents(path) == before
    experiment = judge(path, files(folder, "a"), networks=["b"], overwrite=True)
    assert experiment.judgements["complete"].tolist() == [True]


@pytest.mark.parametrize(
    ("judges", "options", "error", "message"),
    [
        (
            ["wide"],
            {},
            ArgumentError,
            "'wide' has other settings .* 'a': n_fft is 512 there and 256 in the outcomes",
        ),
        (["few"], {}, ArgumentError, "'few' has other labels than the target network .* it lacks 'up'. Networks"),
        (["classifier"], {}, ArgumentError, "'classifier' cannot say 'no', 'up', 'yes', which were maximized"),
        (["whisper"], {}, ArgumentError, "'people', but got 'whisper'"),
        ([], {}, ArgumentError, "must list one or more judges"),
        (["people"], {}, ArgumentError, "people:FILE"),
        (["a"], {"set_ups": ["x"]}, ArgumentError, "set_ups to be judged must be a list of these: 'none'; but got 'x'"),
        (
            ["a"],
            {"networks": "a"},
            ArgumentError,
            "networks to be judged must be a list of these: 'a', 'b'; but got 'a'",
        ),
        (["pocketsphinx"], {"words": ["yes", "zzz"]}, ArgumentError, "'zzz' is not in it"),
        (["pocketsphinx"], {"words": ["yes", "no"]}, ArgumentError, "'pocketsphinx' cannot say 'up'"),
    ],
)
def test_what_cannot_judge_is_refused_before_anyone_listens(path, folder, judges, options, error, message):
    before = contents(path)
    named = [
        str(folder / f"{name}.safetensors") if (folder / f"{name}.safetensors").exists() else name for name in judges
    ]
    with pytest.raises(error, match=message):
        judge(path, named, **options)
    assert contents(path) == before


def test_a_store_without_outcomes_says_what_makes_them(tmp_path, path, folder):
    with pytest.raises(StoreError, match="There is no store"):
        judge(tmp_path / "nothing.zarr", files(folder, "a"))
    (path / "outcomes").rename(tmp_path / "elsewhere")
    with pytest.raises(ArgumentError, match=r"holds no outcomes\. Make some: layerstats maximize"):
        judge(path, files(folder, "a"))


def test_half_written_outcomes_are_not_judged(path, folder):
    loaded, card = load_checkpoint(folder / "a.safetensors")
    about = {"starts": 20, "steps": 1, "batch_size": 4, "card": card, "network_name": "a", "set_up": "half"}
    maximize_activations(loaded, ["yes", "no"], path, block=(0, 2), **about)
    with pytest.raises(StoreError, match=r"The outcomes 'half\.a' .* are half-written"):
        judge(path, files(folder, "a"))
    assert open_store(path, incomplete="allow").judgements.empty


def rewritten(path, change, network="a"):
    """The outcomes of a network, with something changed in them."""
    outcome = open_store(path).outcome(network=network)
    starts = outcome[["target", "number", "seed", "token"]].to_dataframe().reset_index()
    starts = starts[list(START_COLUMNS)].astype({"start": "str", "target": "str", "token": "str"})
    values = {name: outcome[name].to_numpy().copy() for name in outcome.data_vars}
    change(values)
    kept = {"axis_labels", "variables", "starts_hash", "shard_starts", "complete", "created_at", "key"}
    attrs = {name: value for name, value in outcome.attrs.items() if name not in kept}
    variables = [
        VariableSpec(
            name, outcome[name].dims, {d: outcome.sizes[d] for d in outcome[name].dims[1:]}, dtype=str(v.dtype)
        )
        for name, v in values.items()
    ]
    coords = {"class": ("class", outcome["class"].to_numpy().astype(object))}
    with OutcomeWriter(
        path, "none.a", starts, variables, key="x", attrs=attrs, coords=coords, overwrite=True
    ) as writer:
        for rows in writer.missing():
            writer.write(rows, {name: v[rows] for name, v in values.items()})
        writer.finish()


def test_scores_that_the_stored_features_do_not_give_are_refused(path, folder):
    def change(values):
        values["scores_after"][5] = values["scores_after"][5][[1, 2, 0]] + 0.1

    rewritten(path, change)
    with pytest.raises(DataError, match=r"gives 1 of 9 stored starts other scores than it gave .*first 'no_00002'"):
        judge(path, files(folder, "a"), networks=["a"])
    judge(path, files(folder, "b"), networks=["a"])


def test_nan_scores_are_refused(path, folder):
    def change(values):
        values["features_after"][2] = np.nan

    rewritten(path, change)
    with pytest.raises(DataError, match="'b' gives NaN for 1 of"):
        judge(path, files(folder, "b"), networks=["a"])
    assert not open_store(path, incomplete="allow").judgements["complete"].any()


def test_silent_sound_is_refused(tmp_path, folder):
    def change(values):
        values["features_after"][4] = 0

    maximized(tmp_path / "s.zarr", folder, "waves")
    rewritten(tmp_path / "s.zarr", change, "waves")
    with pytest.raises(AudioError, match=r"no_00001.* silent"):
        judge(tmp_path / "s.zarr", [LOUDNESS()])
    assert not open_store(tmp_path / "s.zarr", incomplete="allow").judgements["complete"].any()


class Own:
    """A network judge of one's own, in a few lines: it hears the mean of each band."""

    name, responses, attrs = "bands", WORDS, {"kind": "bands"}
    front_end, network_hash = {}, "h"

    def judge(self, clips):
        raise AssertionError("it hears features")

    def scores(self, heard):
        return heard.mean(axis=1)[:, :3]


def test_a_network_judge_of_ones_own(path):
    own = Own()
    assert isinstance(own, NetworkJudge)
    own.front_end = load_front_end(path)
    experiment = judge(path, [own])
    scores = experiment.judgement(network="a", judge="bands")["score"]
    np.testing.assert_allclose(scores, rendered(experiment.outcome(network="a")).mean(axis=1)[:, :3], rtol=1e-6)
    own.name, own.scores = "broken", lambda heard: np.full((len(heard), 3), np.inf)
    with pytest.raises(
        DataError, match="'broken' gives NaN or infinite scores for 8 of 8 starts, first for 'yes_00000'"
    ):
        judge(path, [own])
    own.name, own.scores = "short", lambda heard: np.zeros((len(heard), 2))
    with pytest.raises(DataError, match=r"must have the shape \(8, 3\), but got \(8, 2\)"):
        judge(path, [own])


def load_front_end(path):
    return json.loads(open_store(path).outcome(network="a").attrs["front_end"])


def test_blocks_and_batches_leave_no_seam(path, folder, tmp_path, monkeypatch):
    judges = [*files(folder, "b"), LOUDNESS()]
    whole = judge(path, judges, networks=["a"])
    monkeypatch.setattr(outcome_judging, "SOUND_BATCH", 2)
    loaded, card = load_checkpoint(folder / "a.safetensors")
    options = {"starts": STARTS, "steps": 2, "card": card, "network_name": "a", "device": "cpu"}
    with monkeypatch.context() as smaller:
        smaller.setattr("layerstats.store.shards.SHARD_TOKENS", 4)
        maximize_activations(loaded, list(WORDS), tmp_path / "t.zarr", batch_size=4, **options)
    parts = judge(tmp_path / "t.zarr", judges)
    assert parts.judgement(judge="b").attrs["shard_starts"] == 4
    for name in ("b", "loudness"):
        np.testing.assert_allclose(
            parts.judgement(judge=name)["score"], whole.judgement(judge=name)["score"], atol=1e-5
        )


def test_the_command_judges_outcomes_where_there_are_some(path, folder):
    run = CliRunner().invoke(
        app, ["judge", str(path), "--judges", ",".join(files(folder, "a", "b")), "--device", "cpu"]
    )
    assert run.exit_code == 0, run.output
    assert "a has judged 18 starts in 2 sets of outcomes" in run.output
    assert open_store(path).judgements["name"].tolist() == ["none.a.a", "none.a.b", "none.b.a", "none.b.b"]
    refused = CliRunner().invoke(app, ["judge", str(path), "--judges", files(folder, "wide")[0]])
    assert refused.exit_code != 0
    told = CliRunner().invoke(app, ["info", str(path)]).output
    assert re.search(r"none\.a +b +classifier +features +9 +9", told)
