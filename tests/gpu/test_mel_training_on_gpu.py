"""Networks of mel spectrograms on a GPU: the same seed gives the same there, and a training is gone on with."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from layerstats.models import CommandClassifier, MelFrontEnd, seeded
from layerstats.training import train_autoencoder, train_commands

pytestmark = pytest.mark.gpu

_SYNTHETIC = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
FRONT_END = {"rate_hz": 8000, "samples": 1024, "n_fft": 128, "hop": 32, "mels": 16, "high_hz": 3900, "frames": 36}
COMMANDS = {"channels": (4, 8, 8), "hidden": (16, 8, 8), "front_end": FRONT_END, "batch_size": 8, "device": "cuda"}
CODES = {"codes": 6, "channels": (2, 2, 2, 2), "front_end": FRONT_END, "batch_size": 8, "device": "cuda"}


class Stopped(Exception):
    """What stands for a kill."""


def stop_in_the_second_epoch(done, total):
    if done > total // 2:
        raise Stopped


@pytest.fixture(scope="module")
def clips():
    return _SYNTHETIC["clips"](tokens=40)


def test_commands_are_learned(clips):
    result = train_commands(clips, **COMMANDS, epochs=40, learning_rate=5e-3, augment=False)
    assert result.accuracy >= 0.9
    assert {weight.device.type for weight in result.model.parameters()} == {"cpu"}
    assert result.card.training["hardware"] == torch.cuda.get_device_name()


@pytest.mark.parametrize(("verb", "options"), [(train_commands, COMMANDS), (train_autoencoder, CODES)])
def test_a_training_repeats_itself_also_when_it_is_gone_on_with(clips, verb, options, tmp_path):
    random = torch.cuda.get_rng_state()
    whole, again = (verb(clips, **options, epochs=2, augment=True) for _ in range(2))
    verb(clips, **options, epochs=2, augment=True, folder=tmp_path)
    with pytest.raises(Stopped):
        verb(clips, **options, epochs=2, augment=True, folder=tmp_path, progress=stop_in_the_second_epoch)
    resumed = verb(clips, **options, epochs=2, augment=True, folder=tmp_path, resume=True)
    assert torch.equal(torch.cuda.get_rng_state(), random)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
        assert torch.equal(value, resumed.model.state_dict()[name])


def test_the_front_end_and_the_classifier_hear_what_they_hear_on_the_cpu():
    with seeded(0):
        network, waveforms = CommandClassifier(5).eval(), torch.randn(3, 22050)
    theirs = MelFrontEnd()(waveforms), network(waveforms).detach()
    network.cuda()
    ours = network.features(waveforms.cuda()), network(waveforms.cuda()).detach()
    np.testing.assert_allclose(ours[0].cpu(), theirs[0], atol=1e-4)
    # Convolutions of a GPU round float32 to TF32, unless the caller forbids it.
    np.testing.assert_allclose(ours[1].cpu(), theirs[1], atol=2e-2)
