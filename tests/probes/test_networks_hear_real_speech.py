"""Real speech, several networks, one comparison: from sound files to the table."""

import pytest

from layerstats.corpora import Clips, read_timit
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import record_activations
from layerstats.stats import compare_networks


@pytest.mark.realdata
def test_what_random_filters_tell_apart_depends_on_how_they_are_drawn(tmp_path, real_data):
    """[s] and [sh] differ as sounds; random biases drown that in deeper layers, zero biases do not."""
    clips = Clips(read_timit(real_data("timit"), words=["ask", "greasy", "wash"]), too_long="skip")
    stores = []
    for initialisation in ("glorot", "torch"):
        for seed in range(3):
            with seeded(seed):
                network = ConvolutionalEncoder(outputs=8, width=4, initialisation=initialisation)
            stores.append(tmp_path / f"{initialisation}_{seed}.zarr")
            attrs = {"network_kind": initialisation, "network_seed": seed}
            record_activations(network, clips, stores[-1], layers=["conv3", "conv5"], attrs=attrs)
    result = compare_networks(stores, words=(), phones=["s:sh"], draws=300)
    kinds = result.kinds.set_index("network")
    assert kinds.loc["glorot", "effect_conf_low"] > 0
    assert result.comparisons["layer"].item() == "conv3"
    assert result.comparisons["conf_low"].item() > 0
    # A tenth of a second holds no four samples of conv5.
    assert result.series.query("layer == 'conv5'")["note"].item().startswith("not tested")
