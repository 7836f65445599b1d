"""R's open_store() and its verbs give what Python's queries give, whatever kind of store it is."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_store import COUNTED, HEARD, RATED, make_example
from r_frames import assert_same, frames_from_r, run_r

from layerstats.store import describe, open_store, phone_vectors, store_arrays
from layerstats.store.outcome_frames import block_frames, finished_groups

pytestmark = pytest.mark.r
ARCHIVE = Path(__file__).parent / "archive"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_example(tmp_path_factory.mktemp("r") / "s.zarr")


def test_activations_are_those_of_python(path):
    experiment = open_store(path)
    expected = {
        "all": experiment.to_frame(),
        "chosen": experiment.select(layer="conv2", word=["wash", "ask"], sex="f", rank=[0, 6, 8, 16]).to_frame(),
        "phones": experiment.select(phone="s", time_s=(0.2, 0.4)).to_frame(columns=["duration_s", "position"]),
        "class": experiment.select(phone_class="plosive", previous="ɔ", layer=["conv2", "conv1"]).to_frame(),
        "phone_column": experiment.select(phone_index=0, trimmed=True).to_frame(columns=["age", "sex"]),
        "maps": experiment.select(phone="k", speaker="s1").to_frame("conv1", values="maps"),
        "untrained": experiment.recording("untrained_00").select(token="tok07").to_frame(),
        "relevance": experiment.recording("epsilon").to_frame(),
        "relevance_maps": experiment.recording("epsilon").select(split="test").to_frame(values="maps"),
    }
    found = frames_from_r(
        """
        store <- open_store(arguments)
        list(all = activations(store),
             chosen = activations(store, "conv2", word = c("wash", "ask"), sex = "f", rank = c(0, 6, 8, 16)),
             phones = activations(store, phone = "s", time_s = c(0.2, 0.4), columns = c("duration_s", "position")),
             class = activations(store, c("conv2", "conv1"), phone_class = "plosive", previous = "\\u0254"),
             phone_column = activations(store, phone_index = 0, trimmed = TRUE, columns = c("age", "sex")),
             maps = activations(store, "conv1", phone = "k", speaker = factor("s1"), values = "maps"),
             untrained = activations(store, recording = "untrained_00", token = "tok07"),
             relevance = relevance(store), relevance_maps = relevance(store, split = "test", values = "maps"))
        """,
        path,
    )
    assert set(found) == set(expected)
    for name, frame in expected.items():
        assert_same(found[name], frame)


def test_tables_and_results_are_those_of_python(path):
    experiment = open_store(path)
    (made,) = [group for group in finished_groups(path) if group.kind == "outcomes"]
    expected = {
        "tokens": experiment.tokens,
        "phones": experiment.phones,
        "some": experiment.select(phone="s", split="train").tokens,
        "some_phones": experiment.select(phone="s", split="train").phones,
        "recordings": experiment.recordings,
        "words": describe(path)["Words"],
        "columns": describe(path)["Columns"],
        "layers": describe(path)["Layers"],
        "tables": experiment.tables,
        "heard": HEARD,
        "rated": RATED,
        "counted": COUNTED,
        "outcomes": pd.concat(block_frames(made), ignore_index=True),
    }
    found = frames_from_r(
        """
        store <- open_store(arguments)
        held <- summary(store)
        list(tokens = tokens(store), phones = phones(store), some = tokens(store, phone = "s", split = "train"),
             some_phones = phones(store, phone = "s", split = "train"), recordings = recordings(store),
             words = held$words, columns = held$columns, layers = held$layers, tables = held$tables,
             heard = judgements(store), rated = ratings(store, "people"), counted = averages(store),
             outcomes = outcomes(store, network = "n0"))
        """,
        path,
    )
    assert set(found) == set(expected)
    for name, frame in expected.items():
        empty = [column for column in frame.columns if frame[column].isna().all()]
        frame = frame.drop(columns=empty).replace({"": np.nan})
        assert_same(found[name][list(frame.columns)], frame)


def test_vectors_of_phones_are_those_of_python(path):
    found = frames_from_r(
        """
        vectors <- phone_vectors(open_store(arguments), "conv1", "vectors", phone = c("s", "k"), sex = "m")
        stopifnot(is.matrix(vectors$vector))
        list(labels = vectors[names(vectors) != "vector"], values = as.data.frame(vectors$vector))
        """,
        path,
    )
    vectors = phone_vectors(path, "conv1", ["s", "k"], recording="vectors", sex="m")
    np.testing.assert_array_equal(found["values"].to_numpy(), vectors.to_numpy())
    assert "token_duration_s" in found["labels"]
    for name in found["labels"].columns:
        np.testing.assert_array_equal(found["labels"][name], vectors[name].to_numpy())


@pytest.mark.parametrize("version", ["1", "2", "2_root_mean_square", "3"])
def test_stores_of_earlier_versions_are_read(tmp_path, version):
    if shutil.which("zstd") is None:
        pytest.skip("R below 4.5 needs the program zstd for stores of earlier versions (apt install zstd)")
    shutil.unpack_archive(ARCHIVE / f"schema_{version}.zarr.zip", tmp_path)
    experiment = open_store(tmp_path / "small.zarr")
    found = frames_from_r(
        """
        store <- open_store(arguments)
        list(tokens = tokens(store), phones = phones(store), activations = activations(store),
             maps = activations(store, "conv2", values = "maps", phone = "s"),
             untrained = activations(store, recording = "untrained/seed_00"), layers = layers(store),
             recordings = recordings(store)[c("recording", "quantity", "trained", "variables", "tokens", "layers")])
        """,
        tmp_path / "small.zarr",
    )
    assert_same(found["tokens"], experiment.tokens)
    assert_same(found["phones"], experiment.phones)
    assert_same(found["activations"], experiment.to_frame())
    assert_same(found["maps"], experiment.select(phone="s").to_frame("conv2", values="maps"))
    assert_same(found["untrained"], experiment.recording("untrained_00").to_frame())
    assert_same(found["recordings"], experiment.recordings[list(found["recordings"].columns)])
    assert found["layers"]["samples"].tolist() == [64, 16]


COUNTS = [8, 5, 10, 4]


def test_clips_of_their_own_length_end_where_they_end(tmp_path):
    names = [f"t{row}" for row in range(len(COUNTS))]
    tokens = pd.DataFrame({"token": names, "word": ["ask", "wash"] * 2, "speaker": "s1", "split": "test"})
    phones = pd.DataFrame({"token": names, "phone_index": 0, "label": "s", "onset_s": 0.2, "offset_s": 1.5})
    maps = np.random.default_rng(0).normal(size=(len(COUNTS), 3, max(COUNTS))).astype(np.float32)
    for row, count in enumerate(COUNTS):
        maps[row, :, count:] = np.nan
    times = {"conv1": np.arange(max(COUNTS)) / 10}
    path = store_arrays(
        tmp_path / "s.zarr", tokens, {"conv1": maps}, phones=phones, time_s=times, attrs={"ragged": True}
    )
    found = frames_from_r(
        """
        list(all = activations(arguments), window = activations(arguments, time_s = c(0.35, 0.85)),
             maps = activations(arguments, phone = "s", word = "wash", values = "maps"))
        """,
        path,
    )
    experiment = open_store(path)
    assert_same(found["all"], experiment.to_frame())
    assert_same(found["window"], experiment.select(time_s=(0.35, 0.85)).to_frame())
    assert_same(found["maps"], experiment.select(phone="s", word="wash").to_frame(values="maps"))


def messages_of(path, *calls):
    """What R says where each of some calls stops."""
    code = "store <- open_store(commandArgs(TRUE)[1])\n" if path is not None else ""
    for call in calls:
        code += f'cat(tryCatch({{ {call}; "no error" }}, error = conditionMessage), "\\n", sep = "")\n'
    done = run_r(code, *([path] if path is not None else []))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_cannot_be_read_is_said_in_words(path):
    expected = {
        'activations(store, "conv9")': "no layer 'conv9'. There are: conv1, conv2.",
        'activations(store, word = "aks")': "no word 'aks'. There are: ask, wash, dark.",
        'activations(store, vowel = "a")': "Nothing can be selected by 'vowel': the store has no such column. Of",
        "activations(store, sex = NA)": "Rows without a 'sex' cannot be selected",
        'activations(store, "conv1", NULL, "ask")': "Conditions need the name of a column",
        'activations(store, word = "ask", phone = "w")': "no token meets all conditions",
        "activations(store, time_s = c(5, 6))": "no sample of these layers lies in the time window",
        "activations(store, time_s = c(2, 1))": "a start before its end (seconds), as in time_s = c(0, 0.1)",
        'activations(store, recording = "x")': "no recording 'x'. There are: 'activations', 'epsilon'",
        'activations(store, recording = "vectors")': "has no series (token, sample). Its variables are phones",
        'activations(store, columns = "colour")': "There is no column 'colour'.",
        'activations(store, values = "input")': "The layer 'conv1' has no 'input'.",
        'phone_vectors(store, "conv1")': "has no vectors of phones. Record them",
        'outcomes(store, "x")': "Not one but 0 outcomes",
        'ratings(store, "x")': "has no table 'x' of ratings. There are: 'people'.",
        "window_sums(store)": "holds no sums.",
        "activations(1:3)": "A store is needed, as open_store() returns it, or its path, but got an object of class",
    }
    for said, message in zip(messages_of(path, *expected), expected.values(), strict=True):
        assert message in said


def test_a_store_that_is_none_or_damaged_is_said_so(path, tmp_path):
    (tmp_path / "empty").mkdir()
    copies = {name: Path(shutil.copytree(path, tmp_path / name)) for name in ("cut", "gone", "newer", "text", "half")}
    cut = copies["cut"] / "recordings/activations/conv1/mean/c/1/0"
    cut.write_bytes(cut.read_bytes()[:40] + bytes(60) + cut.read_bytes()[100:])
    (copies["gone"] / "recordings/activations/conv1/mean/c/1/0").unlink()
    root = copies["newer"] / "zarr.json"
    root.write_text(re.sub(r'"schema_version": *3', '"schema_version": 9', root.read_text()))
    root = copies["text"] / "recordings/activations/zarr.json"
    root.write_text(root.read_text()[:50])
    root = copies["half"] / "recordings/activations/zarr.json"
    root.write_text(re.sub(r'"complete": *true', '"complete": false', root.read_text()))
    expected = {
        f'open_store("{tmp_path}/nothing")': "There is nothing at",
        f'open_store("{tmp_path}/empty")': "is not a store of layerstats: it has no zarr.json",
        f'activations("{copies["gone"]}")': "conv1/mean/c/1/0' is missing",
        f'activations("{copies["cut"]}")': "conv1/mean/c/1/0' cannot be read",
        f'open_store("{copies["newer"]}")': "is of schema version 9; this reads up to version 3",
        f'recordings("{copies["text"]}")': "recordings/activations/zarr.json' cannot be read (there is",
        f'activations("{copies["half"]}")': "is half-written: 12 of 12 tokens. Run the call that recorded it again",
    }
    for said, message in zip(messages_of(None, *expected), expected.values(), strict=True):
        assert message in said


def test_a_store_prints_what_it_holds(path):
    said = run_r("print(open_store(commandArgs(TRUE)))", path)
    assert said.returncode == 0, said.stderr
    for line in ["12 tokens of 4 speakers, 36 phones; schema version 3", "Words", "Recordings", "Layers", "Outcomes"]:
        assert line in said.stdout
