"""The convolutional stack against the facts of the paper and against the gradients' support."""

import pytest
import torch
from torch.nn import functional as F

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, PhaseShuffle, seeded

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def outputs(model, waveform):
    recorded = {}
    handles = [
        getattr(model, name).register_forward_hook(lambda _, __, out, name=name: recorded.update({name: out}))
        for name in LAYERS
    ]
    try:
        model(waveform)
    finally:
        for handle in handles:
            handle.remove()
    return recorded


@pytest.mark.parametrize("width", [1, 3])
def test_layers_have_the_papers_shapes(width):
    recorded = outputs(ConvolutionalEncoder(8, width=width), torch.zeros(2, 16384))
    shapes = [tuple(recorded[name].shape[1:]) for name in LAYERS]
    assert shapes == [(width, 4096), (2 * width, 1024), (4 * width, 256), (8 * width, 64), (16 * width, 16)]


@pytest.mark.parametrize(("outputs_", "width"), [(1, 64), (8, 5)])
def test_parameter_count_is_that_of_the_paper(outputs_, width):
    d = width
    convolutions = [(1, d), (d, 2 * d), (2 * d, 4 * d), (4 * d, 8 * d), (8 * d, 16 * d)]
    expected = sum(25 * i * o + o for i, o in convolutions) + 16 * 16 * d * outputs_ + outputs_
    assert sum(p.numel() for p in ConvolutionalEncoder(outputs_, width=d).parameters()) == expected


@pytest.mark.parametrize(("layer", "field"), list(zip(LAYERS, [25, 121, 505, 2041, 8185], strict=True)))
def test_receptive_field_and_hop_by_gradient(layer, field):
    with seeded(0):
        model = ConvolutionalEncoder(1, width=2).eval()
        waveform = torch.randn(1, 1, 16384, requires_grad=True)
    output = outputs(model, waveform)[layer]
    supports = []
    for index in (output.shape[-1] // 2 - 1, output.shape[-1] // 2):
        (gradient,) = torch.autograd.grad(output[0, :, index].sum(), waveform, retain_graph=True)
        touched = gradient[0, 0].nonzero()[:, 0]
        supports.append((int(touched[0]), int(touched[-1])))
    assert [last - first + 1 for first, last in supports] == [field, field]
    assert supports[1][0] - supports[0][0] == 4 ** int(layer[-1])


def test_padding_is_ten_left_and_eleven_right():
    model = ConvolutionalEncoder(1, width=1)
    impulse = torch.zeros(1, 1, 16384)
    impulse[..., 0] = 1.0
    convolution = model.conv1.convolution
    response = convolution(model.conv1.padding(impulse)) - convolution.bias
    # Output 0 sees samples -10 ... 14: the first sample meets weight 10.
    torch.testing.assert_close(response[0, 0, 0], convolution.weight[0, 0, 10])
    assert model.conv1.padding(impulse).shape[-1] == 16384 + 21


def test_slope_reaches_every_layer():
    model = ConvolutionalEncoder(1, width=2, slope=0.0).eval()
    recorded = outputs(model, torch.randn(1, 16384))
    assert all(recorded[name].min() == 0 for name in LAYERS)
    leaky = outputs(ConvolutionalEncoder(1, width=2).eval(), torch.randn(1, 16384))
    assert all(leaky[name].min() < 0 for name in LAYERS)


def test_phase_shuffle_shifts_the_whole_batch_once_with_reflections():
    signal = torch.arange(12.0).repeat(3, 2, 1)
    shuffle = PhaseShuffle(2).train()
    seen = set()
    for _ in range(200):
        shifted = shuffle(signal)
        matches = [
            shift
            for shift in range(-2, 3)
            if torch.equal(shifted, F.pad(signal, (2, 2), mode="reflect")[..., 2 - shift : 14 - shift])
        ]
        assert len(matches) == 1
        seen.update(matches)
    assert seen == {-2, -1, 0, 1, 2}


def test_phase_shuffle_is_off_in_eval_and_draws_nothing():
    signal = torch.randn(2, 3, 16)
    before = torch.get_rng_state()
    assert PhaseShuffle(2).eval()(signal) is signal
    assert torch.equal(torch.get_rng_state(), before)


def test_recorded_layer_comes_before_the_shuffle():
    with seeded(1):
        model = ConvolutionalEncoder(1, width=2).train()
        waveform = torch.randn(2, 16384)
    in_training = outputs(model, waveform)["conv1"]
    torch.testing.assert_close(in_training, outputs(model.eval(), waveform)["conv1"])


def test_forward_takes_two_or_three_dimensions():
    model = ConvolutionalEncoder(3, width=1).eval()
    waveform = torch.randn(2, 16384)
    torch.testing.assert_close(model(waveform), model(waveform[:, None, :]))


@pytest.mark.parametrize("shape", [(2, 8000), (2, 2, 16384), (16384,)])
def test_other_shapes_are_refused_with_the_shape(shape):
    with pytest.raises(ArgumentError, match=r"16384.*" + str(shape[0])):
        ConvolutionalEncoder(3, width=1)(torch.zeros(*shape))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"width": 0}, "width"),
        ({"slope": -1}, "slope"),
        ({"samples": 16000}, "samples"),
        ({"phase_shuffle": -1}, "phase"),
    ],
)
def test_parameters_out_of_range_are_named(arguments, name):
    with pytest.raises(ArgumentError, match=name):
        ConvolutionalEncoder(3, **arguments)
