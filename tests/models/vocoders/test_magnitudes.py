"""Magnitudes of every frequency from those of mels, against least squares and a pseudo-inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from layerstats.models.mel import MelFrontEnd
from layerstats.models.vocoders import linear_magnitudes
from layerstats.models.vocoders.magnitudes import mel_magnitudes


@pytest.fixture(scope="module")
def front_end():
    return MelFrontEnd().double()


@pytest.fixture(scope="module")
def mels(front_end):
    """Magnitudes (1, time, mel) of a sound with pitch and noise."""
    rng = np.random.default_rng(0)
    time_s = np.arange(22050) / 22050
    pitch = 120 + 30 * np.sin(2 * np.pi * 3 * time_s)
    sound = sum(np.sin(n * 2 * np.pi * np.cumsum(pitch) / 22050) / n for n in range(1, 30))
    sound = sound + 0.02 * rng.normal(size=22050)
    return mel_magnitudes(front_end(torch.from_numpy(sound)[None]), front_end.configuration)[:, :87]


def decibels(magnitudes):
    return 20 * np.log10(np.maximum(magnitudes, 1e-5))


def divergence(mels, fitted):
    """Return the generalised Kullback-Leibler divergence."""
    mels, fitted = mels.flatten(), fitted.flatten()
    some = mels > 0
    return float((mels[some] * (mels[some] / fitted[some]).log()).sum() - mels.sum() + fitted.sum())


def test_every_update_lessens_the_divergence(front_end, mels):
    bank = front_end.filterbank
    found = [divergence(mels, linear_magnitudes(mels, bank, n) @ bank.T) for n in (1, 2, 5, 10, 20, 40)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.01 * found[0]


def test_mels_come_back_better_than_from_a_pseudo_inverse_and_nearly_as_from_least_squares(front_end, mels):
    bank = front_end.filterbank.numpy()
    wanted = mels[0].numpy()
    magnitudes = linear_magnitudes(mels, front_end.filterbank)[0].numpy()
    pseudo = np.maximum(wanted @ np.linalg.pinv(bank).T, 0)
    least = np.stack([nnls(bank, frame)[0] for frame in wanted])

    def error(found):
        return np.abs(decibels(found @ bank.T) - decibels(wanted)).mean()

    assert error(magnitudes) < 0.1
    assert error(magnitudes) < error(pseudo)
    # What least squares pay for their exactness: most frequencies that some mel hears are silent.
    heard = bank.sum(axis=0) > 0
    assert (least[:, heard] == 0).mean() > 0.5
    assert (magnitudes[:, heard] > 0).all()


def test_magnitudes_are_those_of_the_front_end(front_end):
    bank = front_end.filterbank
    sound = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 22050)))
    scaled = sound * (0.999 / sound.abs().max())
    spectrum = torch.stft(scaled, 1024, 256, window=front_end.window, return_complex=True).abs()
    expected = (bank @ spectrum[0]).T
    found = mel_magnitudes(front_end(sound), front_end.configuration)[0, :87]
    assert float((found / expected - 1).abs().max()) < 1e-6
    assert float(linear_magnitudes(found[None], bank)[0, :, bank.sum(dim=0) == 0].abs().max()) == 0
