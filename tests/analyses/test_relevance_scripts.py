"""Scripts on relevance as a user runs them, in a process of their own."""

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, open_corpus
from layerstats.models import ModelCard, Wav2Letter, save_checkpoint, seeded
from layerstats.resources import bundled
from layerstats.store import store_arrays
from layerstats.tables import check_frame


@pytest.fixture
def stores(corpus_folder, tmp_path):
    """A network whose score rests on fricatives, and one of which nothing is known but noise; three twins each."""
    clips = Clips(open_corpus(f"textgrids:{corpus_folder}"))
    times = (np.arange(256) + 0.5) * 64 / 16000
    rng = np.random.default_rng(2)
    found = []
    for name, learned in (("hears", 1.0), ("deaf", 0.0)):
        path = tmp_path / f"{name}.zarr"
        for recording in ("epsilon", *(f"epsilon_untrained_{seed:02}" for seed in range(3))):
            values = rng.normal(size=(len(clips.tokens), 256))
            for row, token in enumerate(clips.tokens["token"]):
                own = clips.phones[(clips.phones["token"] == token) & clips.phones["label"].isin(["s", "sh"])]
                inside = (times >= own["onset_s"].item()) & (times < own["offset_s"].item())
                values[row, inside] += learned * (recording == "epsilon")
            about = {"quantity": "relevance", "method": "epsilon", "trained": recording == "epsilon"}
            store_arrays(path, clips.tokens, {"input": values}, time_s={"input": times}, phones=clips.phones,
                         name=recording, attrs=about)  # fmt: skip
        found.append(path)
    return found


def test_relevance_contrasts(stores, make, tmp_path):
    names = make("relevance_contrasts", tmp_path / "out", *stores)
    written = {f"{sign}{what}" for sign in ("signed", "absolute") for what in ("", "_shares", "_untrained")}
    assert names == {"claims", *written}
    compared = check_frame(pd.read_csv(tmp_path / "out" / "signed_untrained.csv"))
    rows = compared.set_index(["network", "group"])
    assert rows.loc[("hears", "voiceless_fricative"), "p_adjusted"] < 0.001
    assert rows.loc[("hears", "voiceless_fricative"), "null_p_value"] == 0.25
    assert rows.loc[("deaf", "voiceless_fricative"), "p_adjusted"] > 0.05


def test_models_of_activations_take_relevance_by_its_name(stores, make, tmp_path):
    """The same contrast script, with the axes and the null of relevance."""
    names = make("phones", tmp_path / "out", stores[0], "--recording", "epsilon", "--phones", "sh:s", "--workers", "1")
    assert {"contrast", "curves", "difference_curves", "untrained"} <= names
    contrast = check_frame(pd.read_csv(tmp_path / "out" / "contrast.csv"), "phone_contrast")
    assert contrast["null_recordings"].tolist() == [3]
    assert "Relevance (mean over channels)" in (tmp_path / "out" / "curves.svg").read_text(encoding="utf-8")


def test_relevance_maps_of_words(make, tmp_path):
    network = bundled("data", "checkpoints", "commands", "commands_0.safetensors")
    options = ["--words", "yes,no", "--methods", "gradient,epsilon", "--windows", "1"]
    assert make("relevance_maps", tmp_path, network, *options) == {"word_yes", "word_no"}
    assert "Frequency (Hz)" in (tmp_path / "word_yes.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_relevance_maps_of_letters(make, tmp_path):
    """A network that says "a" wherever it likes; only what was said there counts as read."""
    with seeded(3):
        network = Wav2Letter(width=4, top=8)
    network.conv12.bias.data[network.alphabet.letters.index("a")] = 0.5
    network.conv12.weight.data *= 3
    path = save_checkpoint(tmp_path / "letters.safetensors", network, ModelCard("letters", "Random weights."))
    options = ["--letters", "a", "--windows", "1", "--utterances", "3"]
    assert make("relevance_maps", tmp_path / "out", path, *options) == {"letter_a"}
