"""Training on a GPU: the same seed gives the same there, and begins as on the CPU but for rounding."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from layerstats.models import InfoWaveGAN, seeded
from layerstats.probes import generate_speech
from layerstats.training import train_gan, train_words

pytestmark = pytest.mark.gpu

_SYNTHETIC = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
LOSSES = ["critic_gap", "penalty", "generator_loss", "code_loss"]


@pytest.fixture(scope="module")
def clips():
    return _SYNTHETIC["clips"](tokens=40)


def test_words_are_learned(clips):
    result = train_words(clips, width=4, epochs=30, batch_size=8, learning_rate=5e-3, device="cuda")
    assert result.accuracy >= 0.9
    assert {weight.device.type for weight in result.model.parameters()} == {"cpu"}


@pytest.mark.parametrize("kind", ["ciwgan", "fiwgan"])
def test_a_gan_repeats_itself_and_begins_as_on_the_cpu(clips, kind):
    options = {"kind": kind, "width": 2, "latent": 10, "batch_size": 8, "critic_updates": 2, "watch_every": 1}
    random = torch.cuda.get_rng_state()
    first, second = (train_gan(clips, device="cuda", steps=3, **options) for _ in range(2))
    assert first.history[LOSSES].equals(second.history[LOSSES])
    for part in ("generator", "discriminator", "q_network"):
        for one, other in zip(
            getattr(first.model, part).parameters(), getattr(second.model, part).parameters(), strict=True
        ):
            assert one.device.type == "cpu"
            assert torch.equal(one, other)
    assert torch.equal(torch.cuda.get_rng_state(), random)
    # Convolutions of a GPU round float32 to TF32, unless the caller forbids it.
    theirs = train_gan(clips, device="cpu", steps=1, **options)
    np.testing.assert_allclose(first.history[LOSSES].iloc[0], theirs.history[LOSSES].iloc[0], rtol=2e-2, atol=1e-3)


def test_a_gan_in_half_precision_stays_finite(clips, tmp_path):
    options = {"width": 2, "latent": 10, "batch_size": 8, "critic_updates": 2, "watch_every": 2}
    result = train_gan(clips, precision="bfloat16", device="cuda", steps=4, folder=tmp_path, **options)
    assert np.isfinite(result.history[LOSSES]).all(axis=None)
    # The state that was written on the GPU is taken up there.
    again = train_gan(clips, precision="bfloat16", device="cuda", steps=6, folder=tmp_path, resume=True, **options)
    assert again.history["step"].tolist() == [2, 4, 6]


def test_generated_speech_is_that_of_the_cpu():
    with seeded(0):
        model = InfoWaveGAN(codes=2, width=2, samples=1024)
    ours, theirs = (
        generate_speech(model, voices=3, device=device, rate_hz=8000, silence_s=0.0) for device in ("cuda", "cpu")
    )
    assert next(model.parameters()).device.type == "cpu"
    for token in ours.tokens["token"]:
        # In steps of 16 bits, of which the peak has half.
        assert np.abs(ours.audio(token) - theirs.audio(token)).max() < 4 / 32768
