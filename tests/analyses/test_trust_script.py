"""The script of trust on a small store of windows, recorded by an untrained network."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import open_corpus
from layerstats.models import ModelCard, Wav2Letter, save_checkpoint, seeded
from layerstats.probes.relevance import emitted_letters, hear_windows
from layerstats.resources import bundled
from layerstats.store import store_arrays
from layerstats.tables import check_frame

SPEECH = "demo:sentences=2"
HOP_S = 0.008


def phones_of(windows, corpus):
    """Return the phones that reach into each window, in seconds from its first frame."""
    begins = pd.DataFrame({"window": windows["token"], "token": windows["utterance"]})
    begins["begins"] = windows["start_frame"] * HOP_S
    phones = begins.merge(corpus.phones, on="token")
    for name in ("onset_s", "offset_s"):
        phones[name] -= phones["begins"]
    phones = phones[(phones["offset_s"] > 0) & (phones["onset_s"] < 206 * HOP_S)]
    phones["phone_index"] = phones.groupby("window").cumcount()
    return phones.assign(token=phones["window"]).drop(columns=["window", "begins"])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    corpus = open_corpus(SPEECH)
    some = corpus.tokens.groupby("speaker").head(1).head(4)
    with seeded(0):
        network = Wav2Letter(width=4, top=8).eval()
    save_checkpoint(folder / "letters.safetensors", network, ModelCard("letters", "a test"))
    windows = emitted_letters(network, corpus.subset(tokens=some["token"].tolist()), frames="all")
    windows = windows[windows["phone"] != ""].groupby("utterance").head(3).reset_index(drop=True)
    heard = hear_windows(network, corpus, windows)
    for name in ("epsilon", "gradient"):
        maps = heard.maps(name).transpose(1, 2).numpy()
        store_arrays(
            folder / "s.zarr",
            windows.rename(columns={"time_s": "centre_s"}),
            {"input": maps},
            time_s={"input": np.arange(206) * HOP_S},
            phones=phones_of(windows, corpus),
            name=name,
            attrs={"quantity": "relevance" if name == "epsilon" else "gradient", "method": name},
        )
    return folder, windows


@pytest.mark.slow
def test_a_table_and_a_figure(recorded, make, tmp_path):
    folder, windows = recorded
    options = ["--corpus", SPEECH, "--compare", "epsilon", "--layers", "conv1,conv12"]
    options += ["--windows", "8", "--patch", "103,64", "--steps", "2"]
    names = make("trust", tmp_path, folder / "s.zarr", folder / "letters.safetensors", *options)
    assert names >= {"trust", "trust_figure"}
    table = check_frame(pd.read_csv(tmp_path / "trust.csv", keep_default_na=False, na_values=[""]), "trust")
    measures = set(table["measure"])
    assert measures >= {"share inside the phone", "pointing game", "rank correlation", "deletion", "insertion"}
    location = table[(table["measure"] == "pointing game") & (table["by"] == "all")]
    assert (location["tokens"] == len(windows)).all()
    assert set(location["condition"]) == {"absolute", "positive"}
    agreement = table[table["measure"] == "correlation"].set_index("condition")
    assert agreement["tokens"].to_dict() == {"gradient": len(windows), "epsilon": 8}
    # The rule itself.
    assert agreement.loc["epsilon", "estimate"] == pytest.approx(1, abs=1e-4)
    random = table[table["measure"].str.startswith("random weights, cascading")]
    assert set(random["map"]) == {"R", "R/x"}
    assert random["condition"].unique().tolist() == ["conv12", "conv1"]
    replaced = table[table["measure"] == "deletion"]
    assert set(replaced["baseline"]) == {"random order", "energy"}
    assert len(replaced) == 6


@pytest.mark.slow
def test_another_network_is_refused(recorded, tmp_path):
    folder, _ = recorded
    with seeded(5):
        save_checkpoint(tmp_path / "other.safetensors", Wav2Letter(width=4, top=8), ModelCard("other", "a test"))
    command = [sys.executable, bundled("analyses", "trust.py"), folder / "s.zarr", tmp_path / "other.safetensors"]
    command += ["--corpus", SPEECH, "--windows", "4", "--out", tmp_path]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=600)
    assert result.returncode == 2
    assert "are others than when it was recorded" in " ".join(result.stderr.split())
