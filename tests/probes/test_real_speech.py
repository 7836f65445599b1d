"""Real speech through our network: what lies outside the word is silence, and the times of the store know it."""

import numpy as np
import pytest

from layerstats.corpora import Clips, read_timit
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import record_activations


@pytest.mark.realdata
def test_layers_move_where_the_word_is_and_nowhere_else(tmp_path, real_data):
    clips = Clips(read_timit(real_data("timit")).subset(words=["ask", "wash"]), too_long="trim")
    with seeded(0):
        network = ConvolutionalEncoder(outputs=8, width=2)
    experiment = record_activations(network, clips, tmp_path / "timit.zarr")
    for layer in ("conv1", "conv2", "conv3"):
        data = experiment.layer(layer)
        half = data.attrs["receptive_field_s"] / 2
        time_s, values = data["time_s"].to_numpy(), data["mean"].to_numpy()
        checked = 0
        for row, (onset, duration) in enumerate(clips.tokens[["onset_s", "duration_s"]].to_numpy()):
            # Far inside the clip, so that the network's own padding is out of sight.
            outside = (time_s - half > onset + duration) & (time_s + half < 16384 / 16000)
            inside = (time_s > onset) & (time_s < onset + duration)
            if outside.sum() < 2:
                continue
            silence = values[row, outside]
            assert np.ptp(silence) < 1e-6
            moved = np.abs(values[row, inside] - silence[0]) > 1e-5
            assert moved.mean() > 0.9
            checked += 1
        assert checked > 20
