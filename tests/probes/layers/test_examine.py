"""Networks that would be recorded wrongly are refused with what to do; odd ones that can be are recorded rightly."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from layerstats.errors import ArgumentError, DataError, LayerstatsError, NetworkError
from layerstats.models import seeded
from layerstats.probes import read_codes, record_activations
from layerstats.store import open_store


def convolution(**options):
    with seeded(0):
        return nn.Conv1d(1, 4, 25, stride=16, padding=12, **options)


class Network(nn.Module):
    """A convolution, and `forward` as given."""

    def __init__(self, forward, **modules):
        super().__init__()
        self.conv = convolution()
        for name, module in modules.items():
            setattr(self, name, module)
        self._forward = forward

    def forward(self, waveforms):
        return self._forward(self, waveforms[:, None])


class Function(nn.Module):
    """A layer that is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


@pytest.fixture
def clips(small):
    return small.small_clips(tokens=7)


def values(clips, tmp_path, model, layers="conv", **options):
    """The recorded means of the first layer."""
    experiment = record_activations(model, clips, tmp_path / "s.zarr", layers=layers, **options)
    return experiment.layer(experiment.layers[0])["mean"].to_numpy()


def expected(clips, function=lambda hidden: hidden):
    with torch.no_grad():
        waveforms = torch.from_numpy(clips.waveforms(slice(None)))
        return function(convolution()(waveforms[:, None])).mean(1).numpy()


def drawn_by_numpy(inputs):
    return inputs + torch.from_numpy(np.random.normal(size=inputs.shape)).float()  # noqa: NPY002


def drawn_by_python(inputs):
    return inputs * random.random()


RANDOM = {
    "dropout": lambda m, x: m.conv(F.dropout(x, 0.5, True)),
    "noise": lambda m, x: m.conv(x + torch.randn_like(x)),
    "numpy": lambda m, x: m.conv(drawn_by_numpy(x)),
    "python": lambda m, x: m.conv(drawn_by_python(x)),
    "little": lambda m, x: m.conv(x + 1e-3 * torch.rand_like(x)),
}


@pytest.mark.parametrize("forward", RANDOM.values(), ids=RANDOM.keys())
def test_random_networks_are_refused(tmp_path, clips, forward):
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    with pytest.raises(NetworkError, match=r"'conv' gives other values each time.*dropout"):
        values(clips, tmp_path, Network(forward))
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002


def test_a_random_preparation_is_drawn_from_a_seed(tmp_path, clips):
    dither = {"prepare_input": drawn_by_numpy}
    first = values(clips, tmp_path, Network(lambda m, x: m.conv(x)), **dither)
    np.testing.assert_array_equal(values(clips, tmp_path, Network(lambda m, x: m.conv(x)), **dither), first)


def test_a_network_that_keeps_something_from_call_to_call_is_refused(tmp_path, clips):
    def forward(model, x):
        model.state = getattr(model, "state", 0) + 1
        return model.end(model.conv(x) * model.state)

    model = Network(forward, end=nn.Identity())
    with pytest.raises(NetworkError, match="keeps something from call to call"):
        values(clips, tmp_path, model, "end")
    assert not hasattr(model, "state")


BATCHES = {
    "norm": lambda h: h - h.mean(0, keepdim=True),
    "reversed": lambda h: h.flip(0),
    "rolled": lambda h: h.roll(1, 0),
    "largest": lambda h: h / h.abs().max(),
}


@pytest.mark.parametrize("function", BATCHES.values(), ids=BATCHES.keys())
def test_tokens_that_depend_on_their_batch_are_refused(tmp_path, clips, function):
    model = Network(lambda m, x: m.mixed(m.conv(x)), mixed=Function(function))
    with pytest.raises(NetworkError, match=r"'mixed'.*for a token alone than in a batch.*batch_size=1"):
        values(clips, tmp_path, model, "mixed")
    if function is BATCHES["reversed"]:
        np.testing.assert_allclose(values(clips, tmp_path, model, "mixed", batch_size=1), expected(clips), atol=1e-6)


def test_a_preparation_that_mixes_tokens_is_refused(tmp_path, clips):
    with pytest.raises(NetworkError, match="or prepare_input does"):
        values(clips, tmp_path, Network(lambda m, x: m.conv(x)), prepare_input=lambda w: w + w.flip(0))


class Positions(nn.Module):
    def __init__(self, frozen):
        super().__init__()
        with seeded(0):
            self.table = nn.Parameter(torch.randn(1, 4, 64), requires_grad=not frozen)

    def forward(self, inputs):
        return self.table


@pytest.mark.parametrize("frozen", [False, True])
def test_layers_without_tokens_are_refused(tmp_path, clips, frozen):
    model = Network(lambda m, x: m.conv(x) + m.positions(x), positions=Positions(frozen))
    axes = {"axes": ("token", "channel", "sample")}
    for options in ({}, axes):
        with pytest.raises(ArgumentError, match=r"does not depend on how many tokens.*batch_size=1"):
            values(clips, tmp_path, model, "positions", **options)
    with pytest.raises(NetworkError, match="the same for every token: it does not depend on the speech"):
        values(clips, tmp_path, model, "positions", batch_size=1, **axes)


@pytest.mark.parametrize(
    "merge", [lambda h: h.reshape(1, -1, h.shape[2]), lambda h: h.transpose(0, 1).reshape(1, 4, -1)]
)
def test_merged_tokens_are_refused(tmp_path, clips, merge):
    model = Network(lambda m, x: m.merged(m.conv(x)), merged=Function(merge))
    with pytest.raises(ArgumentError, match="tokens are merged with another axis"):
        values(clips, tmp_path, model, "merged", axes=("token", "channel", "sample"))
    np.testing.assert_allclose(values(clips, tmp_path, model, "merged", batch_size=1), expected(clips), atol=1e-6)


def test_work_in_place_after_a_layer_changes_nothing(tmp_path, clips):
    for number, (module, function) in enumerate(((nn.Sigmoid(), torch.sigmoid), (nn.Tanh(), torch.tanh))):
        model = Network(lambda m, x: m.end(m.act(m.conv(x)).mul_(2).add_(1)), act=module, end=nn.Identity())
        experiment = record_activations(model, clips, tmp_path / f"{number}.zarr", layers=["act", "end"])
        np.testing.assert_allclose(experiment.layer("act")["mean"], expected(clips, function), atol=1e-6)
        assert {experiment.layer(name).attrs["context"] for name in ("act", "end")} == {"local"}


class Codebook(nn.Module):
    """Changes its own weights in place when it runs, which torch forbids where these have gradients."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, inputs):
        self.weight.mul_(1.0)
        return inputs * self.weight


def test_networks_that_change_their_own_weights(tmp_path, clips):
    model = Network(lambda m, x: m.book(m.conv(x)), book=Codebook())
    np.testing.assert_allclose(values(clips, tmp_path, model, "book"), expected(clips), atol=1e-6)
    assert open_store(tmp_path / "s.zarr").layer("book").attrs["context"] == "local"


def test_networks_that_run_without_gradients_only(tmp_path, clips):
    """Torch gives no array of a tensor whose gradient is taken."""
    model = Network(lambda m, x: m.outside(m.conv(x)), outside=Function(lambda h: torch.from_numpy(h.numpy() * 2)))
    np.testing.assert_allclose(values(clips, tmp_path, model, "outside"), 2 * expected(clips), atol=1e-6)
    assert open_store(tmp_path / "s.zarr").layer("outside").attrs["context"] == "unverified"


def test_complex_and_packed_outputs_are_refused_with_what_to_do(tmp_path, clips):
    spectrum = Function(lambda x: torch.stft(x[:, 0], 64, 16, window=torch.ones(64), return_complex=True))
    model = Network(lambda m, x: m.spectrum(x), spectrum=spectrum)
    with pytest.raises(ArgumentError, match=r"complex numbers.*choose_output=lambda output: output\.abs\(\)"):
        values(clips, tmp_path, model, "spectrum")
    assert values(clips, tmp_path, model, "spectrum", choose_output=lambda output: output.abs()).shape == (7, 65)

    def packed(model, x):
        hidden = model.conv(x).mT
        return model.rnn(pack_padded_sequence(hidden, torch.full((len(x),), hidden.shape[1]), batch_first=True))[0].data

    model = Network(packed, rnn=nn.GRU(4, 3, batch_first=True))
    with pytest.raises(ArgumentError, match=r"packed sequence.*pad_packed_sequence"):
        values(clips, tmp_path / "packed", model, "rnn")
    choose = {"choose_output": lambda output: pad_packed_sequence(output[0], batch_first=True)[0]}
    assert values(clips, tmp_path / "packed", model, "rnn", **choose).shape == (7, 64)


def test_sparse_and_nested_outputs_are_refused(tmp_path, clips):
    model = Network(lambda m, x: m.layer(m.conv(x)), layer=Function(lambda h: h.to_sparse()))
    with pytest.raises(ArgumentError, match=r"sparse tensor.*to_dense"):
        values(clips, tmp_path, model, "layer")
    choose = {"choose_output": lambda output: output.to_dense()}
    np.testing.assert_allclose(values(clips, tmp_path, model, "layer", **choose), expected(clips), atol=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripted_networks_are_refused(tmp_path, clips):
    plain = nn.Sequential(nn.Unflatten(1, (1, -1)), convolution(), nn.Sequential(nn.Tanh()))
    waveforms = torch.from_numpy(clips.waveforms(slice(0, 2)))
    for scripted in (torch.jit.script(plain), torch.jit.trace(plain, waveforms)):
        with pytest.raises(NetworkError, match=r"'1' is inside 'the network', which torch\.jit compiled"):
            values(clips, tmp_path, scripted, "1")
    plain[2] = torch.jit.script(plain[2])
    with pytest.raises(NetworkError, match=r"'2\.0' is inside '2'"):
        values(clips, tmp_path, plain, "2.0")
    np.testing.assert_allclose(values(clips, tmp_path, plain, "1"), expected(clips), atol=1e-6)


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("how", ["around", "in place"])
def test_compiled_networks_are_heard(tmp_path, clips, called, how):
    model = Network(lambda m, x: m.conv(x))
    if how == "around":
        model = torch.compile(model, backend="eager")
    else:
        model.compile(backend="eager")
    if called:
        with torch.no_grad():
            model(torch.from_numpy(clips.waveforms(slice(0, 1))))
            model(torch.from_numpy(clips.waveforms(slice(None))))
    layer = "_orig_mod.conv" if how == "around" else "conv"
    np.testing.assert_allclose(values(clips, tmp_path, model, layer), expected(clips), atol=1e-6)


def test_weights_that_are_not_there_are_named(tmp_path, clips):
    lazy = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.LazyConv1d(4, 25))
    with pytest.raises(NetworkError, match=r"'1\.weight' of this Sequential has no shape yet.*Call the network once"):
        values(clips, tmp_path, lazy, "1")
    meta = Network(lambda m, x: m.conv(x)).to("meta")
    with pytest.raises(
        NetworkError, match=r"'conv\.weight' of this Network is on the device \"meta\".*Load its weights"
    ):
        values(clips, tmp_path, meta)


def fails(error):
    def forward(model, x):
        model.conv(x)
        raise error

    return forward


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (
            fails(RuntimeError("sizes\ndo not match")),
            r"Network failed on input of shape \(1, 1024\): RuntimeError: sizes do",
        ),
        (fails(KeyError("mask")), r"KeyError: 'mask' \(test_examine\.py, line \d+\)\. By default"),
        (fails(SystemExit(2)), "SystemExit: 2"),
        (fails(MemoryError("out of memory")), "choose a smaller batch_size"),
        (lambda m, x, lengths: None, r"TypeError: .*'lengths'.*prepare_input="),
        (lambda m, x: m.conv(x[..., :10]) if len(x) > 1 else m.conv(x), "gives an output of shape"),
    ],
    ids=["runtime", "key", "exit", "memory", "argument", "batch"],
)
def test_errors_inside_the_network_are_one_line(tmp_path, clips, forward, message):
    with pytest.raises(LayerstatsError, match=message) as caught:
        values(clips, tmp_path, Network(forward))
    assert "\n" not in str(caught.value)


def test_errors_inside_a_preparation_are_one_line(tmp_path, clips):
    with pytest.raises(
        NetworkError, match=r"prepare_input failed on waveforms of shape \(1, 1024\): ZeroDivisionError"
    ):
        values(clips, tmp_path, Network(lambda m, x: m.conv(x)), prepare_input=lambda w: 1 / 0)


def test_what_a_network_says_is_asked_for_with_the_same_care(clips):
    with pytest.raises(NetworkError, match="sizes do not match"):
        read_codes(Network(fails(RuntimeError("sizes do not match"))), clips)


def test_a_layer_that_skips_some_tokens_is_named(tmp_path, clips):
    def forward(model, x):
        return model.conv(x) if len(x) < 4 else x

    with pytest.raises((ArgumentError, DataError), match=r"'conv' runs 0 times"):
        values(clips, tmp_path, Network(forward))
