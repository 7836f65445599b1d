"""The classifier and the autoencoder of mel spectrograms have the published shapes."""

import pytest
import torch

from layerstats.corpora import clips_for, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    MelAutoencoder,
    MelFrontEnd,
    ModelCard,
    load_checkpoint,
    save_checkpoint,
    untrained,
)

SMALL = {"frames": 36, "mels": 16, "samples": 8000}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def shapes(model, run, names):
    seen = {}
    modules = dict(model.named_modules())
    handles = [
        modules[name].register_forward_hook(lambda _, __, out, name=name: seen.update({name: tuple(out.shape[1:])}))
        for name in names
    ]
    run()
    for handle in handles:
        handle.remove()
    return seen


def test_the_classifier_is_the_published_one():
    network = CommandClassifier()
    assert count(network) == 1_646_459
    names = ("conv1", "conv2", "conv3", "flatten", "dense1", "dense2", "dense3", "logits")
    assert shapes(network, lambda: network(torch.zeros(1, 90, 80)), names) == {
        "conv1": (8, 89, 79),
        "conv2": (16, 43, 38),
        "conv3": (32, 20, 18),
        "flatten": (2880,),
        "dense1": (512,),
        "dense2": (256,),
        "dense3": (128,),
        "logits": (35,),
    }


def test_the_autoencoder_is_the_published_one():
    network = MelAutoencoder()
    convolutions = [(2, 1, 16), (2, 16, 32), (2, 32, 64), (2, 64, 128), (2, 128, 128), (2, 128, 64), (2, 64, 32)]
    convolutions.append((3, 32, 1))
    dense = 6400 * 256 + 256 + 256 * 6400 + 6400
    assert count(network) == dense + sum(kernel**2 * old * new + new for kernel, old, new in convolutions)
    encoder = ("conv1", "pool1", "conv2", "pool2", "conv3", "pool3", "conv4", "flatten", "codes")
    features = torch.rand(1, 90, 80)
    assert list(shapes(network.encoder, lambda: network.encode(features), encoder).values()) == [
        *((16, 90, 80), (16, 30, 40), (32, 30, 40), (32, 10, 20), (64, 10, 20), (64, 5, 10), (128, 5, 10)),
        *((6400,), (256,)),
    ]
    decoder = ("dense", "unflatten", "conv1", "repeat1", "conv2", "repeat2", "conv3", "repeat3", "conv4")
    assert list(shapes(network.decoder, lambda: network.decode(torch.zeros(1, 256)), decoder).values()) == [
        *((6400,), (128, 5, 10), (128, 5, 10), (128, 10, 20), (64, 10, 20), (64, 30, 40), (32, 30, 40), (32, 90, 80)),
        (1, 90, 80),
    ]


def test_kernels_of_two_are_padded_at_the_end():
    # Tensorflow's 'same' for a kernel of 2: the last output sees the last input and a zero.
    layer = MelAutoencoder().encoder.conv1
    with torch.no_grad():
        layer[1].weight.fill_(1.0)
        output = layer(torch.arange(1.0, 5.0).reshape(1, 1, 2, 2))
    assert output[0, 0].tolist() == [[10, 6], [7, 4]]


def test_waveforms_and_their_features_give_the_same():
    waveforms = torch.randn(2, 22050, generator=torch.Generator().manual_seed(0))
    for network in (CommandClassifier(3).eval(), MelAutoencoder(4, (1, 1, 1, 1)).eval()):
        torch.testing.assert_close(network(waveforms), network(network.features(waveforms)))


@pytest.mark.parametrize("make", [lambda: CommandClassifier(3), lambda: MelAutoencoder(8, (2, 2, 2, 2))])
def test_weights_are_glorot_uniform_and_drawn_anew_by_seed(make):
    network = make()
    for module in network.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(module.weight)
            limit = (6 / (fan_in + fan_out)) ** 0.5
            assert float(module.weight.detach().abs().max()) <= limit * (1 + 1e-6)
            assert bool((module.bias == 0).all())
    first, again, other = (untrained(network, seed) for seed in (1, 1, 2))
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not all(torch.equal(value, other.state_dict()[name]) for name, value in first.state_dict().items())


def test_an_untrained_autoencoder_knows_no_codes_of_speech():
    network = MelAutoencoder(3, (1, 1, 1, 1))
    network.code_mean.fill_(2)
    fresh = untrained(network, seed=0)
    assert fresh.code_mean.tolist() == [0, 0, 0]
    assert torch.equal(fresh.code_root, torch.eye(3))


@pytest.mark.parametrize(
    "make", [lambda: CommandClassifier(3, front_end=SMALL), lambda: MelAutoencoder(4, (1,) * 4, SMALL)]
)
def test_checkpoints_give_the_network_back(tmp_path, make):
    network = make().eval()
    path = save_checkpoint(tmp_path / "network.safetensors", network, ModelCard("small", "Small."))
    loaded, _ = load_checkpoint(path)
    features = torch.rand(2, 36, 16)
    assert loaded.configuration == network.configuration
    assert torch.equal(loaded(features), network(features))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outputs": 0}, "'outputs'"),
        ({"channels": (8, 16)}, "'channels'"),
        ({"hidden": (8, 16, 2, 2)}, "'hidden'"),
        ({"dropout": 1.0}, "'dropout'"),
        ({"front_end": {"frames": 8}}, "too small"),
    ],
)
def test_a_classifier_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        CommandClassifier(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"codes": 0}, "'codes'"), ({"channels": (8,)}, "'channels'"), ({"front_end": {"frames": 91}}, "multiple of 18")],
)
def test_an_autoencoder_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        MelAutoencoder(**arguments)


def test_features_of_another_front_end_are_refused():
    with pytest.raises(ArgumentError, match=r"\(token, 90, 80\)"):
        CommandClassifier()(torch.zeros(1, 90, 40))
    with pytest.raises(ArgumentError, match=r"\(token, 90, 80\)"):
        MelAutoencoder().encode(torch.zeros(1, 80, 90))
    with pytest.raises(ArgumentError, match=r"\(token, 256\)"):
        MelAutoencoder().decode(torch.zeros(1, 255))


def test_clips_are_those_of_the_networks_front_end():
    speech = demo_corpus(words=["wash"], voices=4)
    clips = clips_for(CommandClassifier(front_end=MelFrontEnd(rate_hz=16000, samples=12000)), speech)
    assert (clips.rate_hz, clips.samples, clips.silence_s) == (16000, 12000, 0.0)
    clips = clips_for(ConvolutionalEncoder(2, width=1, samples=20480), speech, too_long="trim")
    assert (clips.rate_hz, clips.samples, clips.too_long) == (16000, 20480, "trim")
