"""A column that no one has thought of: from a corpus through recording, store, contrast, table, figure to a page."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import demo_corpus
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import record_activations, record_untrained
from layerstats.report import write_page
from layerstats.stats import Contrast, channel_contrasts
from layerstats.store import open_store
from layerstats.tables import check_frame


@pytest.mark.slow
def test_a_new_column_is_compared_from_corpus_to_page(make, tmp_path):
    corpus = demo_corpus(words=["ask", "wash"], voices=8)
    tokens = corpus.tokens
    # Whatever someone may know of their speakers: here, which of two rooms they were recorded in.
    rooms = {speaker: f"room {number % 2}" for number, speaker in enumerate(sorted(set(tokens["speaker"])))}
    corpus = replace(corpus, tokens=tokens.assign(room=tokens["speaker"].map(rooms)))
    with seeded(0):
        network = ConvolutionalEncoder(outputs=2, width=1)
    path = tmp_path / "store.zarr"
    record_activations(network, corpus, path, maps=True)
    record_untrained(network, corpus, path, seeds=range(2))

    experiment = open_store(path)
    contrast = Contrast.read("room=room 0:room 1")
    layer = experiment.layers[2]
    series = contrast.series(experiment, layer)
    assert series.frame.groupby("speaker")["room"].first().to_dict() == rooms

    out = tmp_path / "page"
    names = make("contrast", out / "contrast", path, "--contrast", contrast.text, "--layers", layer, "--workers", "1")
    assert {"contrast", "curves", "difference_curves", "effect_sizes", "untrained"} <= names
    row = check_frame(pd.read_csv(out / "contrast" / "contrast.csv"), "phone_contrast").iloc[0]
    assert (row["level_1"], row["level_2"]) == ("room 0", "room 1")
    assert row["level_df"] == 6
    means = series.frame.groupby(["room", "speaker"])["value"].mean().groupby("room").mean()
    # The model's level is the mean of a smooth curve, so that it differs a little.
    assert row["level_difference"] == pytest.approx(means["room 0"] - means["room 1"], rel=0.3)
    page = write_page(out, title="A new column", sections=("contrast",)).read_text(encoding="utf-8")
    assert "room 0 - room 1" in page

    channels = channel_contrasts(experiment, layer, contrast)
    assert channels.attrs["level_units"] == "8 speakers, less one for each of 2 groups"
    assert np.isfinite(channels["p_value"].sel(term="level")).any()
