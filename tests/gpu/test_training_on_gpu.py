"""Training on a GPU: the first steps are those of the CPU but for rounding."""

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
def test_one_step_of_a_gan_is_that_of_the_cpu(clips, kind):
    options = {"kind": kind, "width": 2, "latent": 10, "batch_size": 8, "critic_updates": 2, "steps": 1}
    random = torch.cuda.get_rng_state()
    ours, theirs = (train_gan(clips, device=device, **options) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(ours.history[LOSSES], theirs.history[LOSSES], rtol=1e-3, atol=1e-5)
    for part in ("generator", "discriminator", "q_network"):
        for one, other in zip(
            getattr(ours.model, part).parameters(), getattr(theirs.model, part).parameters(), strict=True
        ):
            assert one.device.type == "cpu"
            # Adam makes steps of one size of gradients of any, so that a few weights may go the other way.
            assert float(((one - other).abs() > 1e-5).float().mean()) < 0.05
    assert torch.equal(torch.cuda.get_rng_state(), random)


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
