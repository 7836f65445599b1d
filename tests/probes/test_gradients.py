"""Gradients of scores: by a plain loop, by finite differences, token by token, and nothing left on the network."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, NetworkError, StoreError
from layerstats.models import InfoWaveGAN, running, seeded
from layerstats.probes import Activation, Gradient, decision, record, record_untrained
from layerstats.probes.quantity import Batch
from layerstats.store import open_store

WORDS = ("ask", "wash", "dark")
LAYERS = ("conv", "act", "deep", "norm", "squash")
AXES = dict.fromkeys(LAYERS, ("token", "channel", "sample"))


class Network(nn.Module):
    """Works in place after two of its layers, and changes its own buffer; three outputs."""

    def __init__(self, seed=0):
        super().__init__()
        with seeded(seed):
            self.conv = nn.Conv1d(1, 4, 9, stride=4)
            self.act = nn.ReLU(inplace=True)
            self.deep = nn.Conv1d(4, 6, 5, stride=4)
            self.norm = nn.BatchNorm1d(6)
            self.squash = nn.Sigmoid()
            self.end = nn.Linear(6, len(WORDS))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, waveforms):
        self.calls += 1
        hidden = self.norm(self.deep(self.act(self.conv(waveforms[:, None]))))
        return self.end(self.squash(hidden).mul_(2).mean(2))


def plain(model, waveforms, choose):
    """Gradients (token, channel, sample) by layer: a token at a time, without work in place, by retained gradients."""
    found = {layer: [] for layer in LAYERS}
    for row, waveform in enumerate(waveforms):
        first = model.conv(waveform[None, None])
        second = torch.relu(first)
        third = model.deep(second)
        fourth = model.norm(third)
        fifth = torch.sigmoid(fourth)
        score = choose(model.end((2 * fifth).mean(2)), row)
        outputs = (first, second, third, fourth, fifth)
        for layer, gradient in zip(LAYERS, torch.autograd.grad(score, outputs), strict=True):
            found[layer].append(gradient[0])
    return {layer: torch.stack(rows) for layer, rows in found.items()}


def outputs_of(model, waveforms):
    first = model.conv(waveforms[:, None])
    second = torch.relu(first)
    third = model.deep(second)
    return dict(zip(LAYERS, (first, second, third, model.norm(third), torch.sigmoid(model.norm(third))), strict=True))


TOKENS = pd.DataFrame({"token": list("abcde"), "word": ["ask", "wash", "ask", "dark", "wash"]})
TARGETS = {
    "number": (Gradient(1), lambda logits, row: logits[0, 1]),
    "name": (Gradient("dark", WORDS), lambda logits, row: logits[0, 2]),
    "own word": (
        Gradient("own_word", WORDS),
        lambda logits, row: logits[0, WORDS.index(TOKENS["word"][row])],
    ),
    "function": (
        Gradient(lambda logits, tokens: logits.log_softmax(1)[:, 0]),
        lambda logits, row: logits.log_softmax(1)[0, 0],
    ),
}


def measured(quantity, model, waveforms, tokens=TOKENS, axes=AXES):
    found = {}
    with running(model, torch.device("cpu"), differentiate=True):
        batch = Batch(model, waveforms, tokens, axes)
        quantity.measure(batch, lambda layer, values: found.update({layer: values.detach().clone()}))
    return found


@pytest.fixture
def waveforms():
    return torch.randn(5, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("quantity", "choose"), TARGETS.values(), ids=TARGETS.keys())
def test_gradients_are_those_of_a_plain_loop(quantity, choose, waveforms):
    model = Network().double()
    ours = measured(quantity, model, waveforms)
    theirs = plain(model.eval(), waveforms, choose)
    for layer in LAYERS:
        assert float(theirs[layer].abs().max()) > 1e-4
        torch.testing.assert_close(ours[layer], theirs[layer], rtol=1e-10, atol=1e-14)


def test_times_activation(waveforms):
    """What the layer gave, not what the next one made of it in place."""
    model = Network().double()
    ours = measured(Gradient(1, times_activation=True), model, waveforms)
    gradients, outputs = measured(Gradient(1), model, waveforms), outputs_of(model.eval(), waveforms)
    for layer in LAYERS:
        torch.testing.assert_close(ours[layer], gradients[layer] * outputs[layer].detach(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_are_finite_differences(layer, waveforms):
    model, step = Network().double(), 1e-6
    ours = measured(Gradient(2), model, waveforms)[layer]
    model.eval()

    def score(row, channel, sample, by):
        def moved(module, args, output):
            output = output.clone()
            output[row, channel, sample] += by
            return output

        handle = model.get_submodule(layer).register_forward_hook(moved)
        with torch.no_grad():
            result = model(waveforms)[row, 2]
        handle.remove()
        return float(result)

    random = np.random.default_rng(0)
    for _ in range(12):
        place = tuple(int(random.integers(size)) for size in ours.shape)
        slope = (score(*place, step) - score(*place, -step)) / (2 * step)
        assert float(ours[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.fixture
def clips(small):
    return small.small_clips()


def test_what_is_recorded_and_said_of_it(tmp_path, clips):
    model = Network().train()
    model.conv.requires_grad_(False)
    model.end.weight.grad = torch.ones(3, 6)
    kept, moves = model.end.weight.grad, []
    quantity = Gradient("own_word", WORDS, maps=True)
    options = {"layers": LAYERS, "batch_size": 3, "attrs": {"network_kind": "supervised"}}
    experiment = record(model, clips, tmp_path / "s.zarr", quantity, **options)
    assert (experiment.name, experiment.quantity, experiment.summary) == ("gradient", "gradient", "mean")
    told = {name: experiment.attrs[name] for name in ("target", "labels", "times_activation", "network_kind")}
    assert told == {
        "target": "own_word",
        "labels": list(WORDS),
        "times_activation": False,
        "network_kind": "supervised",
    }
    waveforms, words = torch.from_numpy(clips.waveforms(slice(None))), clips.tokens["word"].tolist()
    for layer, expected in plain(
        Network().eval(), waveforms, lambda logits, row: logits[0, WORDS.index(words[row])]
    ).items():
        dataset = experiment.layer(layer)
        size = float(expected.square().mean().sqrt())
        assert dataset.attrs["channel_rms"] == pytest.approx(float(expected[:3].square().mean().sqrt()), rel=1e-4)
        np.testing.assert_allclose(dataset["maps"], expected, atol=1e-4 * size)
        np.testing.assert_allclose(dataset["mean"], expected.mean(1), atol=1e-4 * size)
        np.testing.assert_allclose(dataset["root_mean_square"], expected.square().mean(1).sqrt(), atol=1e-4 * size)
        assert dataset["mean"].attrs["long_name"] == "gradient of the score averaged over channels"
    # The network is what it was.
    assert model.training
    assert [weight.requires_grad for weight in model.conv.parameters()] == [False, False]
    assert model.end.weight.requires_grad
    assert model.end.weight.grad is kept
    assert bool((kept == 1).all())
    assert float(model.calls) == 0
    assert model.conv.weight.grad is None
    # The same call does nothing; another target is another recording, in another place of the same store.
    record(model, clips, tmp_path / "s.zarr", quantity, progress=lambda *move: moves.append(move), **options)
    assert moves == []
    with pytest.raises(StoreError, match="another recording"):
        record(model, clips, tmp_path / "s.zarr", Gradient(1, maps=True), **options)
    record(model, clips, tmp_path / "s.zarr", Gradient(1), recording="gradient of wash", **options)
    record(model, clips, tmp_path / "s.zarr", Activation(), **options)
    found = open_store(tmp_path / "s.zarr").recordings.set_index("recording")["quantity"].to_dict()
    assert found == {"activations": "activation", "gradient": "gradient", "gradient of wash": "gradient"}


def test_untrained_networks_stand_beside(tmp_path, clips):
    quantity = Gradient(0)
    options = {"layers": "deep", "quantity": quantity}
    record(Network(), clips, tmp_path / "s.zarr", **options)
    experiment = record_untrained(Network(), clips, tmp_path / "s.zarr", seeds=[0, 1], **options)
    found = experiment.recordings.set_index("recording")
    assert found["quantity"].unique().tolist() == ["gradient"]
    assert found["trained"].astype(bool).to_dict() == {
        "gradient": True,
        "gradient_untrained_00": False,
        "gradient_untrained_01": False,
    }


def test_a_q_network_is_asked_for_its_codes(tmp_path, clips):
    with seeded(0):
        model = InfoWaveGAN("fiwgan", codes=3, width=1, samples=1024)
    experiment = record(model, clips, tmp_path / "s.zarr", Gradient(2), layers="conv*")
    assert (np.abs(experiment.layer("conv1")["mean"]) > 0).any()


class Head(nn.Module):
    """A convolution, and whatever comes after it."""

    def __init__(self, head, **modules):
        super().__init__()
        with seeded(0):
            self.conv = nn.Conv1d(1, 4, 25, stride=16)
            self.norm, self.end = nn.LayerNorm(4), nn.Linear(4, 2)
        for name, module in modules.items():
            setattr(self, name, module)
        self.head = head

    def forward(self, waveforms):
        return self.head(self, self.conv(waveforms[:, None]))


def test_tokens_that_are_mixed_after_the_layer_are_refused(tmp_path, clips):
    """The layer itself is each token's own, but the score is not."""
    model = Head(lambda m, h: m.end((h - h.mean(0, keepdim=True)).mean(2)))
    record(model, clips, tmp_path / "a.zarr", Activation(), layers="conv")
    with pytest.raises(NetworkError, match=r"gradient at layer 'conv' is another for a token alone.*batch_size=1"):
        record(model, clips, tmp_path / "g.zarr", Gradient(0), layers="conv")
    assert not (tmp_path / "g.zarr").exists()


def test_a_mean_that_the_next_norm_fixes_is_noted(tmp_path, clips):
    """What a LayerNorm hears may be shifted without any change, so that gradients add up to nothing."""
    model = Head(lambda m, h: m.end(m.norm(h.mT).pow(3).mean(1)))
    experiment = record(model, clips, tmp_path / "s.zarr", Gradient(0), layers=["conv", "norm"])
    attributes = {layer: experiment.layer(layer).attrs for layer in ("conv", "norm")}
    assert attributes["conv"]["fixed_mean"] == "what follows it"
    assert "fixed_mean" not in attributes["norm"]
    assert "fixed_root_mean_square" not in attributes["conv"]


def test_gradients_through_values_that_the_network_detaches(tmp_path, clips):
    """Layers after the break have gradients, those before have none."""
    model = Head(lambda m, h: m.end(m.norm(h.detach().mT).tanh().mean(1)))
    experiment = record(model, clips, tmp_path / "s.zarr", Gradient(0), layers="norm")
    assert (np.abs(experiment.layer("norm")["root_mean_square"]) > 0).all()
    with pytest.raises(NetworkError, match="'conv' gives, so it has no gradient"):
        record(model, clips, tmp_path / "t.zarr", Gradient(0), layers=["conv", "norm"])


REFUSED = {
    "frames": (lambda m, h: h, Gradient(0), ArgumentError, r"gives shape \(.*and not \(token, output\).*function"),
    "too few outputs": (lambda m, h: m.end(h.mean(2)), Gradient(2), ArgumentError, "output 2, but the network has 2"),
    "labels": (
        lambda m, h: m.end(h.mean(2)),
        Gradient("ask", WORDS),
        ArgumentError,
        "3 labels were given for 2 outputs",
    ),
    "a word": (
        lambda m, h: m.end(h.mean(2)),
        Gradient("own_word", ["ask", "dark"]),
        ArgumentError,
        r"no output for 'wash' \(the words of the tokens\)",
    ),
    "a function": (
        lambda m, h: m.end(h.mean(2)),
        Gradient(lambda output, tokens: output),
        ArgumentError,
        r"one score a token, \(1,\), but it returned shape \(1, 2\)",
    ),
    "detached": (
        lambda m, h: m.end(h.mean(2)).detach(),
        Gradient(0),
        NetworkError,
        "does not depend on the layers by operations that torch can",
    ),
}


@pytest.mark.parametrize(("head", "quantity", "error", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_targets_that_cannot_be(tmp_path, clips, head, quantity, error, reason):
    batches = {"batch_size": 1} if "one score" in reason else {}
    with pytest.raises(error, match=reason):
        record(Head(head), clips, tmp_path / "s.zarr", quantity, layers="conv", **batches)
    assert not (tmp_path / "s.zarr").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("ask",), "the network's outputs have none"),
        (("mask", WORDS), "no output for 'mask'"),
        ((-1,), "must be the number of an output from 0"),
        ((True,), "must be the number of an output from 0"),
        ((1.5,), "must be the number of an output from 0"),
        (("own_word",), "the network's outputs have none"),
    ],
)
def test_targets_are_said_explicitly(arguments, reason):
    with pytest.raises(ArgumentError, match=reason):
        Gradient(*arguments)


def test_a_decision_is_the_largest_output_of_each_token():
    logits = torch.tensor([[0.1, 0.9], [2.0, -1.0]], requires_grad=True)
    assert decision((logits, "more")).tolist() == pytest.approx([0.9, 2.0])
    (gradient,) = torch.autograd.grad(decision(logits).sum(), logits)
    assert gradient.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert decision(torch.tensor([[3.0], [-4.0]])).tolist() == [3.0, -4.0]
    with pytest.raises(ArgumentError, match=r"shape \(2,\)"):
        decision(torch.zeros(2))
    with pytest.raises(ArgumentError, match="str"):
        decision("yes")
