"""Which axis is time is found from what changes with the clip's length, else from types; else the layer is refused."""

import pytest
import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from layerstats.errors import ArgumentError
from layerstats.models import seeded
from layerstats.probes import record_activations
from layerstats.probes.layers.infer_axes import Shapes, settle_axes
from layerstats.probes.layers.observe import Kind

TIME_FIRST = ("sample", "token", "channel")
CHANNELS_LAST = ("token", "sample", "channel")
SERIES = ("token", "channel", "sample")


class Network(nn.Module):
    """A convolution to 4 channels with hop 16, then what `after` does with it; `samples` fixes the input's length."""

    def __init__(self, after, samples=None, **modules):
        super().__init__()
        with seeded(0):
            self.conv = nn.Conv1d(1, 4, 25, stride=16, padding=12)
        for name, module in modules.items():
            setattr(self, name, module)
        self._after, self._samples = after, samples

    def forward(self, waveforms):
        if self._samples not in (None, waveforms.shape[1]):
            raise ValueError(f"takes {self._samples} samples only")
        return self._after(self, self.conv(waveforms[:, None]))


def last(hidden):
    return hidden.transpose(1, 2)


def first(hidden):
    return hidden.permute(2, 0, 1)


def spectrogram(hidden):
    return hidden[:, None].expand(-1, 2, -1, -1)


def attention(**options):
    return nn.MultiheadAttention(4, 2, **options)


def transformer(**options):
    return nn.TransformerEncoderLayer(4, 2, 8, **options)


LAYERS = {
    "lstm": (lambda m, h: m.a(last(h)), nn.LSTM(4, 6, batch_first=True), CHANNELS_LAST),
    "lstm-both-ways": (
        lambda m, h: m.a(last(h)),
        nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True),
        CHANNELS_LAST,
    ),
    "gru-time-first": (lambda m, h: m.a(first(h)), nn.GRU(4, 6), TIME_FIRST),
    "as-long-as-wide": (lambda m, h: m.a(last(h)), nn.RNN(4, 64, batch_first=True), CHANNELS_LAST),
    "linear": (lambda m, h: m.a(last(h)), nn.Linear(4, 6), CHANNELS_LAST),
    "linear-time-first": (lambda m, h: m.a(first(h)), nn.Linear(4, 6), TIME_FIRST),
    "layer-norm": (lambda m, h: m.a(last(h)), nn.LayerNorm(4), CHANNELS_LAST),
    "attention": (lambda m, h: m.a(*[last(h)] * 3), attention(batch_first=True), CHANNELS_LAST),
    "attention-time-first": (lambda m, h: m.a(*[first(h)] * 3), attention(), TIME_FIRST),
    "transformer": (lambda m, h: m.a(last(h)), transformer(batch_first=True), CHANNELS_LAST),
    "transformer-time-first": (lambda m, h: m.a(first(h)), transformer(), TIME_FIRST),
    "convolution": (lambda m, h: m.a(h), nn.Conv1d(4, 6, 3, stride=2), SERIES),
    "one-channel": (lambda m, h: m.a(h), nn.Conv1d(4, 1, 3), SERIES),
}
TWO_DIMENSIONAL = {
    "images": (lambda m, h: m.a(spectrogram(h)), ("token", "channel", "frequency", "sample")),
    "images-on-their-side": (lambda m, h: m.a(spectrogram(h).mT), ("token", "channel", "sample", "frequency")),
}


def axes_of(tmp_path, clips, model, layer="a", **options):
    with torch.random.fork_rng():
        experiment = record_activations(model, clips, tmp_path / "s.zarr", layers=layer, **options)
    attrs = experiment.layer(layer).attrs
    assert attrs["channels"] > 0
    return tuple(attrs["output_axes"]), experiment


@pytest.fixture(scope="module")
def clips(small):
    return small.small_clips(tokens=4)


@pytest.mark.parametrize("fixed", [False, True], ids=["any-length", "one-length"])
@pytest.mark.parametrize(("after", "module", "axes"), LAYERS.values(), ids=LAYERS.keys())
def test_time_is_found(tmp_path, clips, after, module, axes, fixed):
    model = Network(after, samples=clips.samples if fixed else None, a=module)
    found, experiment = axes_of(tmp_path, clips, model)
    assert found == axes
    assert experiment.layer("a").sizes["sample"] in (31, 62, 64)
    assert experiment.layer("a").attrs["geometry"] == "layers"


@pytest.mark.parametrize(("after", "axes"), TWO_DIMENSIONAL.values(), ids=TWO_DIMENSIONAL.keys())
def test_time_in_two_dimensions_is_found(tmp_path, clips, after, axes):
    found, experiment = axes_of(tmp_path, clips, Network(after, a=nn.Conv2d(2, 3, 3, padding=1)))
    assert found == axes
    assert experiment.layer("a").sizes["sample"] == 64
    with pytest.raises(ArgumentError, match=r"of one length only.*types of its modules do not tell.*Name its axes"):
        axes_of(tmp_path, clips, Network(after, samples=clips.samples, a=nn.Conv2d(2, 3, 3)))


def test_batches_of_one_leave_the_type_to_tell(tmp_path, clips):
    after, module, axes = LAYERS["gru-time-first"]
    assert axes_of(tmp_path, clips, Network(after, a=module), batch_size=1)[0] == axes


@pytest.mark.parametrize(
    ("after", "modules"),
    [
        (lambda net, hidden: net.a(hidden), {"a": nn.Linear(64, 64)}),
        (lambda net, hidden: net.a(hidden), {"a": nn.Linear(64, 30)}),
        (lambda net, hidden: net.a(net.b(hidden)), {"b": nn.Linear(64, 30), "a": nn.Linear(30, 64)}),
        (lambda net, hidden: net.a(net.b(last(hidden))), {"b": nn.Linear(4, 6), "a": nn.Conv1d(64, 32, 1)}),
        (lambda net, hidden: net.a(last(net.b(last(hidden)))), {"b": nn.LayerNorm(4), "a": nn.Linear(64, 64)}),
    ],
    ids=["linear", "other-length", "two", "convolution", "swapped"],
)
def test_modules_that_mix_time_are_refused(tmp_path, clips, after, modules):
    with pytest.raises(ArgumentError, match="Which axis of layer 'a' is time cannot be told"):
        axes_of(tmp_path, clips, Network(after, samples=clips.samples, **modules))


def test_channels_after_a_mixer_are_found(tmp_path, clips):
    modules = {"b": nn.Linear(64, 20), "c": nn.Linear(20, 64), "a": nn.Linear(4, 6)}
    model = Network(lambda net, hidden: net.a(last(net.c(net.b(hidden)))), **modules)
    assert axes_of(tmp_path, clips, model)[0] == CHANNELS_LAST


def test_a_pooled_layer_is_not_told_to_name_its_axes(tmp_path, clips):
    with pytest.raises(ArgumentError, match="Choose a layer before its time is pooled"):
        axes_of(tmp_path, clips, Network(lambda net, hidden: net.a(hidden.mean(2)), a=nn.Linear(4, 2)))


def test_transformers_of_one_length_and_of_any(tmp_path, small):
    clips = small.small_clips(tokens=3, samples=4096)
    size = {"num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 2}
    convolutions = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    with seeded(0):
        wav2vec2 = Wav2Vec2Model(Wav2Vec2Config(hidden_size=12, **size, **convolutions))
        heads = {"encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "num_mel_bins": 8}
        whisper = WhisperEncoder(WhisperConfig(d_model=16, max_source_positions=128, **heads))
    layers = ["feature_extractor.conv_layers.*", "feature_projection.projection", "encoder.layers.*"]
    experiment = record_activations(wav2vec2, clips, tmp_path / "wav2vec2.zarr", layers=layers)
    axes = {tuple(experiment.layer(name).attrs["output_axes"]) for name in experiment.layers[:7]}
    assert axes == {SERIES}
    assert {tuple(experiment.layer(name).attrs["output_axes"]) for name in experiment.layers[7:]} == {CHANNELS_LAST}

    def features(waveforms):
        return torch.fft.rfft(waveforms.reshape(-1, 256, 16)).abs()[..., :8].transpose(1, 2)

    options = {"prepare_input": features, "input_hop_s": 0.002, "layers": ["conv*", "layers.*"]}
    experiment = record_activations(whisper, clips, tmp_path / "whisper.zarr", **options)
    axes = [tuple(experiment.layer(name).attrs["output_axes"]) for name in experiment.layers]
    assert axes == [SERIES, SERIES, CHANNELS_LAST, CHANNELS_LAST]
    assert [experiment.layer(name).sizes["sample"] for name in experiment.layers] == [256, 128, 128, 128]


@pytest.mark.parametrize(
    ("layer", "named", "message"),
    [
        ("lstm", SERIES, "Axis 2 of layer 'a' is named 'sample', but axis 1 is time"),
        ("gru-time-first", ("sample", "channel", "token"), "6 entries where one token went in"),
        ("linear", ("token", "sample"), "output of 3 axes"),
    ],
)
def test_wrong_names_are_refused(tmp_path, clips, layer, named, message):
    after, module, _ = LAYERS[layer]
    with pytest.raises(ArgumentError, match=message):
        axes_of(tmp_path, clips, Network(after, a=module), axes=named)


def test_wrong_names_are_refused_where_only_the_type_tells(tmp_path, clips):
    after, module, _ = LAYERS["lstm"]
    with pytest.raises(ArgumentError, match="Axis 2 of layer 'a' is named 'sample', but by the type of its modules"):
        axes_of(tmp_path, clips, Network(after, samples=clips.samples, a=module), axes=SERIES)


def test_names_for_some_layers_leave_the_others_to_be_found(tmp_path, clips):
    model = Network(*LAYERS["lstm"][:1], a=LAYERS["lstm"][1])
    axes = {"conv": ("token", "feature", "sample")}
    experiment = record_activations(model, clips, tmp_path / "s.zarr", layers=["conv", "a"], axes=axes)
    assert experiment.layer("conv").attrs["output_axes"] == ["token", "feature", "sample"]
    assert experiment.layer("a").attrs["output_axes"] == list(CHANNELS_LAST)


UNDECIDED = {
    "no-time": (lambda m, h: m.a(h.mean(2)), "a layer without time cannot be recorded"),
    "flat": (lambda m, h: m.a(h.flatten(1)), "a layer without time cannot be recorded"),
    "weights": (lambda m, h: m.a(h.mT @ h), "axes 1, 2 all change with the length"),
    "contradiction": (lambda m, h: m.a(h.reshape(len(h), -1, 64)), "axis 1 changes with the length .* has channels"),
    "pooled": (lambda m, h: m.a(nn.functional.adaptive_avg_pool1d(h, 7)), "none changes with the length"),
}


@pytest.mark.parametrize(("after", "message"), UNDECIDED.values(), ids=UNDECIDED.keys())
def test_what_does_not_decide_is_refused(tmp_path, clips, after, message):
    with pytest.raises(ArgumentError, match=rf"{message}.*--axes token,sample"):
        axes_of(tmp_path, clips, Network(after, a=nn.Identity()))


def test_a_square_output_is_not_settled_by_modules_elsewhere():
    with pytest.raises(ArgumentError, match="cannot be told"):
        settle_axes("a", None, Shapes((1, 8, 8), (3, 8, 8), 3))
    assert settle_axes("a", None, Shapes((1, 8, 8), (3, 8, 8), 3, kind=Kind(-1))) == CHANNELS_LAST
