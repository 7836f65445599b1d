"""Geometry read from modules against the support of gradients, for networks of many kinds."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers import Wav2Vec2Config, Wav2Vec2Model

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes.inputs import input_time
from layerstats.probes.layers.geometry import Window, window_of
from layerstats.probes.layers.trace import trace_layers

SERIES = ("token", "channel", "sample")


def facts_of(model, inputs, layer, axes=SERIES, hop_s=None, input_axes=None):
    time = input_time(inputs, input_axes, hop_s, 1.0, inputs.shape[-1])
    with seeded(0):
        return trace_layers(model.eval(), inputs, time, [layer], {layer: axes})[layer]


def support(model, inputs, index, output_axis=-1, input_axis=-1):
    """First and last input sample on which output `index` depends: by changing each input sample in turn."""
    inputs = inputs.double()
    model = model.double().eval()
    with torch.no_grad():
        before = model(inputs).select(output_axis, index)
        changed = []
        for sample in range(inputs.shape[input_axis]):
            other = inputs.clone()
            other.select(input_axis, sample).add_(1.0)
            if not torch.equal(model(other).select(output_axis, index), before):
                changed.append(sample)
    return changed[0], changed[-1]


def random_stack(seed):
    random = np.random.default_rng(seed)
    modules, channels = [], 1
    for _ in range(random.integers(2, 6)):
        kernel, stride, dilation = (int(random.integers(1, high)) for high in (6, 4, 3))
        kind = random.choice(["convolution", "same", "pool", "average", "pad", "pointwise"])
        if kind == "convolution":
            padding = int(random.integers(0, kernel))
            modules.append(nn.Conv1d(channels, 3, kernel, stride=stride, dilation=dilation, padding=padding))
            channels = 3
        elif kind == "same":
            # An odd kernel: torch warns of the others, whose padding is uneven (see test_windows).
            modules.append(nn.Conv1d(channels, 3, kernel | 1, dilation=dilation, padding="same"))
            channels = 3
        elif kind == "pool":
            # A maximum depends on one sample only; a mean of the same geometry shows all of them.
            modules.append(nn.AvgPool1d(kernel, stride=stride, padding=kernel // 2))
        elif kind == "average":
            modules.append(nn.AvgPool1d(kernel))
        elif kind == "pad":
            modules.append(nn.ConstantPad1d((int(random.integers(0, 5)), int(random.integers(0, 5))), 0.0))
        else:
            modules += [nn.Tanh(), nn.BatchNorm1d(channels)]
    return nn.Sequential(*modules)


@pytest.mark.parametrize("seed", range(20))
def test_random_stacks_of_modules(seed):
    with seeded(seed):
        model = random_stack(seed)
        inputs = torch.randn(1, 1, 1000)
    layer = str(len(model) - 1)
    facts = facts_of(model, inputs, layer)
    assert (facts.geometry, facts.context) == ("layers", "local")
    count = model.eval()(inputs).shape[-1]
    assert facts.grid.count == count
    # In the middle, far from the edges: there the padding of inner layers stands for some of the samples.
    low, high = facts.grid.bounds(count // 2)
    assert 0 <= low <= high < 1000
    assert support(model, inputs, count // 2) == (low, high)


@pytest.mark.parametrize("time_axis", [-1, -2])
def test_two_dimensional_convolutions(time_axis):
    kernel, stride, padding = ((3, 5), (1, 2), (1, 2))
    flip = (lambda pair: pair) if time_axis == -1 else (lambda pair: pair[::-1])
    with seeded(0):
        model = nn.Sequential(
            nn.ZeroPad2d((3, 0, 0, 0) if time_axis == -1 else (0, 0, 3, 0)),
            nn.Conv2d(1, 2, flip(kernel), stride=flip(stride), padding=flip(padding)),
            nn.LeakyReLU(0.3),
            nn.AvgPool2d(flip((2, 3)), stride=flip((2, 2))),
        )
        inputs = torch.randn(1, 1, *flip((16, 90)))
    axes = ("token", "channel", *flip(("frequency", "sample")))
    facts = facts_of(model, inputs, "3", axes, hop_s=0.01, input_axes=axes)
    output = model(inputs)
    assert (facts.geometry, facts.context, facts.channels) == ("layers", "local", 2 * 8)
    assert facts.grid.count == output.shape[time_axis]
    low, high = facts.grid.bounds(10)
    assert support(model, inputs, 10, time_axis, time_axis) == (low, high)


def test_our_network_has_the_papers_fields_and_hops():
    model = ConvolutionalEncoder(2, width=2)
    names = [f"conv{number}" for number in range(1, 6)]
    inputs = torch.zeros(1, 16384)
    with seeded(0):
        facts = trace_layers(model.eval(), inputs, input_time(inputs, None, None, 16000, 16384), names)
    assert [fact.grid.field for fact in facts.values()] == [25, 121, 505, 2041, 8185]
    assert [fact.grid.hop for fact in facts.values()] == [4, 16, 64, 256, 1024]
    assert {(fact.geometry, fact.context, fact.activation, fact.slope) for fact in facts.values()} == {
        ("layers", "local", "leaky_relu", 0.2)
    }
    # Output 0 of conv1 sees samples -10 ... 14.
    assert facts["conv1"].grid.bounds(0) == (-10, 14)


def wav2vec2(norm):
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm=norm,
    )
    return Wav2Vec2Model(config)


def test_wav2vec2_feature_encoder_has_its_published_geometry():
    """Baevski et al. (2020): a receptive field of 400 samples (25 ms) and a stride of 320 (20 ms) at 16 kHz."""
    with seeded(0):
        facts = facts_of(wav2vec2("layer"), torch.randn(1, 8000), "feature_extractor.conv_layers.6")
    assert (facts.grid.field, facts.grid.hop, facts.grid.bounds(0)) == (400, 320, (0, 399))
    assert (facts.geometry, facts.context, facts.activation) == ("layers", "local", "gelu")


def test_attention_and_norms_over_time_hear_the_whole_clip():
    with seeded(0):
        group = facts_of(wav2vec2("group"), torch.randn(1, 8000), "feature_extractor.conv_layers.6")
        transformer = facts_of(
            wav2vec2("layer"), torch.randn(1, 8000), "encoder.layers.0", ("token", "sample", "channel")
        )
    for facts in (group, transformer):
        assert (facts.context, facts.grid.field, facts.grid.hop) == ("clip", 8000, 320)
        # The centres are still those of the convolutions.
        assert (facts.geometry, facts.grid.start) == ("layers", 199.5)
    assert transformer.activation == "unknown"


class _Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv1d(1, 4, 8, stride=4)
        self.recurrent = nn.GRU(4, 5, batch_first=True)

    def forward(self, inputs):
        return self.recurrent(self.convolution(inputs).transpose(1, 2))[0]


def test_recurrence_hears_the_whole_clip():
    with seeded(0):
        facts = facts_of(_Recurrent(), torch.randn(1, 1, 400), "recurrent", ("token", "sample", "channel"))
    assert (facts.context, facts.grid.field, facts.grid.hop, facts.grid.start) == ("clip", 400, 4, 3.5)


class _Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv1d(1, 4, 9, stride=3)
        self.two = nn.Conv1d(4, 4, 4)
        self.end = nn.Identity()

    def forward(self, inputs):
        hidden = F.relu(self.one(F.pad(inputs, (7, 1))))
        return self.end(F.avg_pool1d(self.two(hidden), 2))


def test_functions_are_measured_by_gradients():
    with seeded(0):
        model, inputs = _Functional(), torch.randn(1, 1, 300)
        facts = facts_of(model, inputs, "end")
    assert (facts.geometry, facts.context, facts.activation) == ("gradients", "local", "unknown")
    assert facts.grid.count == model(inputs).shape[-1]
    assert facts.grid.hop == 6
    assert support(model, inputs, 20) == facts.grid.bounds(20)


class _Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.main_1, self.main_2 = nn.Conv1d(1, 4, 7, stride=2, padding=3), nn.Conv1d(4, 4, 5, padding=2)
        self.short = nn.Conv1d(1, 4, 1, stride=2)
        self.end = nn.Conv1d(4, 2, 3, stride=2)

    def forward(self, inputs):
        # The shortcut comes last: the latest grid is not the one that counts.
        return self.end(self.main_2(torch.relu(self.main_1(inputs))) + self.short(inputs))


def test_branches_are_covered_together():
    with seeded(0):
        model, inputs = _Residual(), torch.randn(1, 1, 200)
        facts = facts_of(model, inputs, "end")
    assert (facts.geometry, facts.context, facts.grid.hop) == ("layers", "local", 4)
    assert support(model, inputs, 20) == facts.grid.bounds(20)


def test_uneven_outputs_fall_back_on_the_ratio_of_lengths():
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.AdaptiveAvgPool1d(7))
    facts = facts_of(model, torch.randn(1, 1, 102), "1")
    assert (facts.geometry, facts.context) == ("length_ratio", "clip")
    np.testing.assert_allclose(facts.grid.centres(), (np.arange(7) + 0.5) * 102 / 7 - 0.5)


def test_without_gradients_it_says_unverified():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Identity())
    facts = facts_of(model, torch.randint(10, (1, 50)), "1", ("token", "sample", "channel"))
    assert (facts.geometry, facts.context, facts.grid.field) == ("layers", "unverified", 1)


def test_time_of_features_needs_their_hop():
    features = torch.zeros(1, 80, 103)
    with pytest.raises(ArgumentError, match=r"103 entries.*input_hop_s"):
        input_time(features, None, None, 16000, 16384)
    with pytest.raises(ArgumentError, match="input_axes"):
        input_time(features, ("token", "sample"), 0.01, 16000, 16384)
    time = input_time(features, ("token", "sample", "channel"), 0.01, 16000, 16384)
    assert (time.axis, time.samples, time.hop_s) == (1, 80, 0.01)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv1d(1, 1, 4, padding="same", dilation=3), Window(4, 1, 3, 4)),
        (nn.Conv1d(1, 1, 4, padding="valid"), Window(4)),
        (nn.MaxPool1d(3), Window(3, 3)),
        (nn.MaxPool1d(3, stride=2, padding=1, dilation=2), Window(3, 2, 2, 1)),
        (nn.ReflectionPad1d((3, 4)), Window(left=3)),
        (nn.ReLU(), None),
    ],
)
def test_windows(module, expected):
    assert window_of(module) == expected


class _Attention(nn.Module):
    """Convolutions that reach further than the clip is long, and attention after them."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(nn.Conv1d(1, 4, 8, stride=4), nn.Conv1d(4, 4, 151, padding=75))
        self.attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

    def forward(self, inputs):
        return self.attention(self.convolutions(inputs).mT)


def test_attention_after_a_long_reach_hears_the_whole_clip():
    with seeded(0):
        facts = facts_of(_Attention(), torch.randn(1, 1, 400), "attention", ("token", "sample", "channel"))
    assert (facts.context, facts.grid.field, facts.grid.hop, facts.geometry) == ("clip", 400, 4, "layers")


class ChangedInPlace(nn.Module):
    """Attention whose output is changed before the next layer hears it, and a layer that hears the input only."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 4, stride=4)
        self.first, self.second = (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2))
        self.beside = nn.Conv1d(1, 8, 8, stride=4, padding=2)

    def forward(self, waveforms):
        heard = self.first(self.conv(waveforms).transpose(1, 2))
        heard *= 0.5
        return self.second(heard) + self.beside(waveforms).transpose(1, 2)


def speech_transformers():
    def wav2vec2(norm):
        sizes = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 16}
        kernels = {"conv_dim": (8, 8), "conv_kernel": (10, 8), "conv_stride": (5, 4)}
        places = {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "feat_extract_norm": norm}
        return Wav2Vec2Model(Wav2Vec2Config(**sizes, **kernels, **places, do_stable_layer_norm=norm == "layer"))

    blocks = [f"encoder.layers.{layer}" for layer in range(4)]
    convolutions = [f"feature_extractor.conv_layers.{layer}" for layer in range(2)]
    channels_last = dict.fromkeys(blocks, ("token", "sample", "channel"))
    for norm in ("group", "layer"):
        yield wav2vec2(norm), (1, 1003), {**dict.fromkeys(convolutions, SERIES), **channels_last}
    beside = {"beside": SERIES, "conv": SERIES, **dict.fromkeys(("first", "second"), ("token", "sample", "channel"))}
    yield ChangedInPlace(), (1, 1, 1000), beside


def test_layers_together_hear_what_they_hear_alone():
    with seeded(0):
        networks = list(speech_transformers())
    for network, shape, layers in networks:
        with seeded(1):
            inputs = torch.randn(shape)
        time = input_time(inputs, None, None, 1.0, inputs.shape[-1])
        together = trace_layers(network.eval(), inputs, time, list(layers), layers)
        alone = {
            layer: trace_layers(network, inputs, time, [layer], {layer: axes})[layer] for layer, axes in layers.items()
        }
        assert together == alone
        assert "clip" in {facts.context for facts in together.values()}


def test_layers_of_attention_go_back_to_the_input_once(monkeypatch):
    backward, inputs = torch.autograd.grad, []

    def grad(total, tensor, **options):
        inputs.append(tuple(tensor.shape))
        return backward(total, tensor, **options)

    monkeypatch.setattr(torch.autograd, "grad", grad)
    network, shape, layers = next(speech_transformers())
    waveforms = torch.randn(shape)
    trace_layers(network.eval(), waveforms, input_time(waveforms, None, None, 1.0, 1003), list(layers), layers)
    # Three outputs of the first layer, whose norm hears the whole clip, and what all later ones hear; not 3 a layer.
    assert inputs.count(shape) == 4


def test_a_network_that_runs_in_inference_mode_has_times_but_no_gradients():
    class Shut(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(1, 2, 25, stride=4)

        def forward(self, values):
            with torch.inference_mode():
                return self.conv(values)

    found = facts_of(Shut(), torch.zeros(1, 1, 400), "conv")
    assert (found.geometry, found.context) == ("layers", "unverified")
    assert (found.grid.hop, found.grid.field) == (4, 25)
