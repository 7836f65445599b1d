"""Neurons with the highest mean activation, by their definition."""

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, NetworkError
from layerstats.models import Wav2Letter, seeded
from layerstats.probes.maximization import strongest_units


def test_the_strongest_channels_of_a_window():
    with seeded(1):
        network, heard = Wav2Letter(width=5, top=6), torch.randn(2, 206, 128)
    found = strongest_units(network, heard, ["conv1", "conv3", "conv12"], number=2)
    assert network.padding == "same"
    network.eval().padding = "valid"
    first = network.conv1(heard.transpose(1, 2))
    means = first.mean((0, 2)).tolist()
    order = sorted(range(5), key=lambda channel: -means[channel])[:2]
    rows = found.loc[found["layer"] == "conv1"]
    assert rows["channel"].tolist() == order
    assert rows["mean_activation"].tolist() == pytest.approx([means[channel] for channel in order], rel=1e-5)
    assert rows["unit"].tolist() == [f"conv1:{channel}:40" for channel in order]
    logits = network(heard)[:, 0].mean(0)
    last = found.loc[found["layer"] == "conv12"]
    assert last["channel"].tolist() == logits.topk(2).indices.tolist()
    assert last["unit"].str.endswith(":0").all()


def test_channels_of_dense_layers_are_on_the_last_axis():
    with seeded(2):
        network = nn.Sequential(nn.Linear(4, 7), nn.Tanh())
        heard = torch.randn(1, 6, 4)
    found = strongest_units(network, heard, "0", number=7, places="all")
    means = network[0](heard).mean((0, 1))
    assert found["channel"].tolist() == means.argsort(descending=True).tolist()
    assert found["unit"].iloc[0] == f"0:{found['channel'].iloc[0]}"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": "conv9"}, ArgumentError, "Its layers are: 0, 1"),
        ({"number": 0}, ArgumentError, "'number'"),
        ({"places": "centre"}, ArgumentError, "'middle', 'all'"),
        ({"heard": torch.zeros(2, 3)}, NetworkError, "failed on"),
    ],
)
def test_what_is_not_there_is_refused(options, error, message):
    network = nn.Sequential(nn.Linear(4, 7), nn.Tanh())
    given = {"heard": torch.zeros(2, 4), "layers": "0", **options}
    with pytest.raises(error, match=message):
        strongest_units(network, given.pop("heard"), given.pop("layers"), **given)
    with pytest.raises(NetworkError, match="no channels"):
        strongest_units(nn.Sequential(nn.Flatten(0)), torch.zeros(2, 4), "0")
