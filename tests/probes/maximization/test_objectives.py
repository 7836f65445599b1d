"""Units by name: classes, channels and single values, and what there is where a name fits nothing."""

import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder
from layerstats.probes.maximization import Objective
from layerstats.probes.units import Unit, UnitValues, read_unit


def test_units_of_layers_are_values_of_their_outputs(nets):
    network = nets.classifier().eval()
    heard = torch.randn(5, 6, 4, dtype=torch.float64)
    maps = network.conv1(heard.unsqueeze(1))
    names = ["conv1:2", "logits:1", "conv1:4:3/1", "conv1:0", "conv1:4:0/0"]
    units = [read_unit(name, network, nets.LABELS) for name in names]
    found = Objective(network, units, "activation")(heard)
    expected = [maps[0, 2].mean(), network(heard)[1, 1], maps[2, 4, 3, 1], maps[3, 0].mean(), maps[4, 4, 0, 0]]
    torch.testing.assert_close(found.objective, torch.stack(expected))
    torch.testing.assert_close(found.logits, network(heard))


def test_channels_of_dense_layers_over_time_are_on_the_last_axis():
    network = nn.Sequential(nn.Linear(4, 7), nn.ReLU())
    heard = torch.randn(1, 6, 4)
    unit = read_unit("0:6", network, None)
    torch.testing.assert_close(
        Objective(network, [unit], "activation")(heard).objective, network[0](heard)[:, :, 6].mean(1)
    )


def test_classes_by_name_and_by_number(nets):
    network, heard = nets.classifier().eval(), torch.randn(2, 6, 4, dtype=torch.float64)
    named = [read_unit(name, network, nets.LABELS) for name in ("up", "yes")]
    numbered = [read_unit(number, network, None) for number in ("2", "0")]
    for name in ("log_probability", "probability", "logit"):
        one, other = Objective(network, named, name)(heard), Objective(network, numbered, name)(heard)
        assert torch.equal(one.objective, other.objective)
    torch.testing.assert_close(one.objective, network(heard)[[0, 1], [2, 0]])
    assert read_unit("conv1:3", network, ["conv1:3", "b"]) == Unit("conv1:3", "", 0)


def test_classes_of_networks_with_frames_are_on_the_last_axis():
    network, heard = nn.Linear(4, 3), torch.randn(3, 6, 4)
    units = [read_unit(name, network, ["a", "b", "a:b"]) for name in ("b:5", "a:0", "a:b:2")]
    assert units[2] == Unit("a:b:2", "", 2, (2,))
    given = network(heard)
    found = UnitValues(network, units, "log_probability")(given, {})
    expected = given.log_softmax(-1)[[0, 1, 2], [5, 0, 2], [1, 0, 2]]
    torch.testing.assert_close(found, expected)
    mean = UnitValues(network, [read_unit("b", network, ["a", "b", "c"])] * 3, "logit")(given, {})
    torch.testing.assert_close(mean, given[:, :, 1].mean(1))
    with pytest.raises(ArgumentError, match="6 places"):
        UnitValues(network, [Unit("b:6", "", 1, (6,))] * 3, "logit")(given, {})
    with pytest.raises(ArgumentError, match="cannot be maximized"):
        Objective(network, units)(heard)
    window = Objective(network, [Unit("b", "", 1)], "logit")(heard[:1, 5:])
    torch.testing.assert_close(window.logits, given[:1, 5])
    torch.testing.assert_close(window.objective, given[:1, 5, 1])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("maybe", "classes are yes, no, up"),
        ("7", "classes are yes, no, up"),
        ("conv9:1", "Its layers are: conv1, norm, dropout, logits"),
        ("conv1:x", "number of a channel"),
        ("conv1:2:1/y", "number of a channel"),
        ("conv*:1/2", "number of a channel"),
    ],
)
def test_unknown_targets_are_refused(nets, target, message):
    with pytest.raises(ArgumentError, match=message):
        read_unit(target, nets.classifier(), nets.LABELS)


@pytest.mark.parametrize(
    ("target", "labels", "message"),
    [
        ("3", None, "has 3 classes, from 0"),
        ("conv1:5", None, "'conv1' has 5 channels, from 0."),
        ("conv1:1:9/0", None, "4 x 2 places"),
        ("conv1:1:0", None, "4 x 2 places"),
    ],
)
def test_units_that_are_not_there_are_refused(nets, target, labels, message):
    network = nets.classifier().eval()
    objective = Objective(network, [read_unit(target, network, labels)], "activation" if ":" in target else "logit")
    with pytest.raises(ArgumentError, match=message):
        objective(torch.zeros(1, 6, 4, dtype=torch.float64))


def test_objectives_must_fit_the_units(nets):
    network = nets.classifier()
    channel, one = (read_unit(name, network, nets.LABELS) for name in ("conv1:2", "yes"))
    with pytest.raises(ArgumentError, match="have no probability"):
        Objective(network, [channel])
    with pytest.raises(ArgumentError, match="log_probability"):
        Objective(network, [one], "activation")
    with pytest.raises(ArgumentError, match="one after the other"):
        Objective(network, [channel, one])
    with pytest.raises(ArgumentError, match="at least one target"):
        Objective(network, [])


def test_networks_that_hear_waveforms_have_units_too():
    network = ConvolutionalEncoder(2, width=1).eval()
    units = [read_unit(name, network, None) for name in ("conv2:1", "conv5.convolution:3:2")]
    heard = torch.randn(2, 16384)
    found = Objective(network, units, "activation")(heard).objective
    conv2 = network.conv2(network.conv1(heard[:1, None]))
    torch.testing.assert_close(found[0], conv2[0, 1].mean())
