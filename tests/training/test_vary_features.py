"""Changes of spectrograms stay within what they say, and are those of their seed."""

import pytest
import torch

from layerstats.training import augment, vary_features

HEARD = 87


@pytest.fixture
def features():
    """A word of 30 frames at the start of the clip, as the built-in corpus has it, with one tone."""
    spectrograms = torch.zeros(200, 90, 80)
    spectrograms[:, :30] = 0.1
    spectrograms[:, :30, 40] = 0.8
    return spectrograms


def seeded(number):
    return torch.Generator().manual_seed(number)


@pytest.mark.parametrize("noise", [True, False])
def test_values_and_the_frames_that_a_clip_fills_are_kept(features, noise):
    changed = vary_features(features, seeded(0), HEARD, noise=noise)
    assert changed.shape == features.shape
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1
    assert bool((changed[:, HEARD:] == 0).all())
    assert torch.equal(changed, vary_features(features, seeded(0), HEARD, noise=noise))
    assert not torch.equal(changed, vary_features(features, seeded(1), HEARD, noise=noise))


def test_words_move_through_the_whole_clip_and_stay_in_it(features):
    changed = vary_features(features, seeded(0), HEARD, noise=False)
    heard = changed.amax(dim=2) > 0.25
    lengths = heard.sum(dim=1)
    first = heard.to(torch.uint8).argmax(dim=1)
    # No more than the overhang is lost, and tempo changes within its limits.
    assert int(lengths.min()) >= 30 * 0.8 - augment._OVERHANG - 1
    assert int(lengths.max()) <= 30 * 1.25 + 1
    assert int(first.min()) == 0
    assert int((first + lengths).max()) >= HEARD - 2


def test_the_tone_moves_as_another_vocal_tract_would_move_it(features):
    changed = vary_features(features, seeded(0), HEARD, noise=False)
    loudest = changed.amax(dim=1).argmax(dim=1).float()
    assert float(loudest.min()) >= 40 / 1.14 - 2
    assert float(loudest.max()) <= 40 / 0.88 + 2
    assert float(loudest.std()) > 1


def test_powers_are_added():
    """A room in which nothing decays adds up frames: as many as sound, so many times the power."""
    features = torch.full((1, 20, 80), 0.5)
    echoed = augment._reverberate(features, torch.ones(1, 1, 1))
    expected = 0.5 + torch.arange(1, 21).clamp(max=12).log10() / 10
    torch.testing.assert_close(echoed[0, :, 0], expected, atol=1e-4, rtol=0)
    dry = augment._reverberate(features, torch.zeros(1, 1, 1))
    torch.testing.assert_close(dry, features, atol=1e-4, rtol=0)
