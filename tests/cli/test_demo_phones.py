"""The part of the demonstration about vectors of phones: what is recorded, and what the script is asked."""

import pytest

from layerstats.cli import demo_phones
from layerstats.cli.progress import steps
from layerstats.corpora import open_corpus
from layerstats.store import open_store


@pytest.mark.slow
def test_phones_that_the_network_never_heard_are_recorded_with_twins_and_the_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_phones, "LAYERS", ("conv1",))
    monkeypatch.setattr(demo_phones, "UNTRAINED", 2)
    with steps() as step:
        store = demo_phones.record_small_vectors(step, tmp_path / "phones.zarr")
    view = open_store(store)
    recordings = view.recordings.set_index("recording")
    assert set(recordings.index) == {"activations", "untrained_00", "untrained_01", "acoustics"}
    assert recordings["complete"].all()
    assert not recordings.loc[["untrained_00", "untrained_01"], "trained"].any()
    learned = open_corpus("demo:sentences").subset(split="train").tokens
    assert not set(view.tokens["speaker"]) & set(learned["speaker"])
    assert not set(view.tokens["word"]) & set(learned["word"])
    # Of each phone there is enough for many voices to say both A and X.
    table = view.phones.merge(view.tokens[["token", "speaker"]])
    said = table.loc[table["label"].isin(demo_phones.PHONES.split(","))]
    counts = said.groupby(["label", "speaker"]).size()
    assert (counts.gt(1).groupby("label").sum() >= 8).all()


def test_the_script_gets_what_was_recorded(tmp_path):
    jobs = demo_phones.phone_vector_jobs(tmp_path / "phones.zarr")
    assert tuple(jobs) == demo_phones.ANALYSES
    arguments = jobs["phone_layers"]
    assert arguments[0] == str(tmp_path / "phones.zarr")
    assert arguments[arguments.index("--phones") + 1] == demo_phones.PHONES


def test_the_page_says_what_is_small_and_synthetic():
    said = demo_phones.about_phones()
    assert "12 phones of synthetic voices" in said
    assert f"{demo_phones.UNTRAINED} untrained networks" in said
    assert "below 0.25" in said
