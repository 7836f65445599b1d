"""Scripts on relevance as a user runs them, in a process of their own."""

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, open_corpus
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
    assert names == {f"{sign}{what}" for sign in ("signed", "absolute") for what in ("", "_shares", "_untrained")}
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
