"""What is watched while a ciwGAN or fiwGAN learns: does it speak, does it vary, do its codes carry anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from layerstats.models import ConvolutionalEncoder, InfoWaveGAN

BANDS, FRAMES = 32, 64
WINDOW = 512
FLOOR = 1e-3  # -60 dB of the loudest spot
BATCH = 64
MOST_WATCHED = 256  # held-out clips; distances between all of them are taken


@dataclass(frozen=True)
class HeldOutSpeech:
    """Speech that nothing is learned from, and the words in it, which choose nothing either.

    Parameters
    ----------
    waveforms : Tensor
        (token, sample).
    words : ndarray
        (token,) numbers of words.
    """

    waveforms: Tensor
    words: np.ndarray


@torch.no_grad()
def watch(model: InfoWaveGAN, held_out: HeldOutSpeech, seed: int = 0) -> dict[str, float]:
    """Measure a network as it stands, on held-out speech and as many generated clips.

    Returns
    -------
    dict
        `code_entropy`: of the codes that the Q-network gives to the held-out speech, as a share of the largest
        possible (0: all the same code). `code_information`: the mutual information of code and token that its
        probabilities claim, as a share of the largest possible (0: it cannot decide, or always decides the same).
        `diversity`: mean distance between two generated clips over that between two held-out ones (0: always the same
        clip). `spectral_distance`: energy distance of generated from held-out clips, over the latter (0: alike).
        `held_out_gap`: mean score by the critic of held-out speech minus that of generated speech.
        `lexical_accuracy`: share of held-out tokens whose code is that of their word, with codes and words paired as
        well as they can be; it uses the words and is for the record only.

    Examples
    --------
    >>> network = InfoWaveGAN(width=1).eval()
    >>> speech = HeldOutSpeech(torch.rand(8, 16384), np.arange(8) % 2)
    >>> sorted(watch(network, speech))[:3]
    ['code_entropy', 'code_information', 'diversity']
    """
    was_training = model.training
    model.eval()
    random = torch.Generator().manual_seed(seed)
    tokens = len(held_out.waveforms)
    latent = torch.cat([model.draw_codes(tokens, random), model.draw_noise(tokens, random)], dim=1)
    generated = _in_batches(model.generator, latent)
    real = held_out.waveforms
    logits = _in_batches(model.q_network, real)
    entropy, information = _code_shares(model.kind, logits, tokens)
    between, of_generated, of_real = _distances(log_spectra(generated), log_spectra(real))
    gap = _score(model.discriminator, real) - _score(model.discriminator, generated)
    model.train(was_training)
    return {
        "code_entropy": entropy,
        "code_information": information,
        "diversity": of_generated / of_real,
        "spectral_distance": (2 * between - of_generated - of_real) / of_real,
        "held_out_gap": gap,
        "lexical_accuracy": _best_assignment(_code_numbers(model.kind, logits), held_out.words),
    }


def log_spectra(waveforms: Tensor) -> Tensor:
    """Return power over 32 linear bands and 64 stretches of time, as decades above a floor at -60 dB: (token, value).

    Examples
    --------
    >>> log_spectra(torch.zeros(2, 16384)).unique()
    tensor([0.])
    """
    window = torch.hann_window(WINDOW)
    spectra = torch.stft(waveforms.float(), WINDOW, WINDOW // 2, window=window, return_complex=True).abs().square()
    pooled = F.adaptive_avg_pool2d(spectra, (BANDS, FRAMES)).flatten(1)
    # A full-scale sine has a power of (sum of the window / 2)^2 in its band.
    return torch.log10(pooled / (window.sum() / 2) ** 2 / FLOOR**2 + 1)


def _in_batches(network: torch.nn.Module, batch: Tensor) -> Tensor:
    place = next(network.parameters()).device
    return torch.cat([network(part.to(place)).float().cpu() for part in batch.split(BATCH)])


def _score(critic: ConvolutionalEncoder, waveforms: Tensor) -> float:
    return float(_in_batches(critic, waveforms).mean())


def _code_numbers(kind: str, logits: Tensor) -> np.ndarray:
    if kind == "ciwgan":
        return logits.argmax(dim=1).numpy()
    return np.unique((logits > 0).numpy(), axis=0, return_inverse=True)[1].ravel()


def _code_shares(kind: str, logits: Tensor, tokens: int) -> tuple[float, float]:
    """Entropy of the codes given, and mutual information claimed, each over the largest that so many tokens allow."""
    counts = np.bincount(_code_numbers(kind, logits))
    shares = counts[counts > 0] / counts.sum()
    codes = logits.shape[1] if kind == "ciwgan" else 2 ** logits.shape[1]
    entropy = float(-(shares * np.log(shares)).sum() / np.log(min(codes, tokens)))
    if kind == "ciwgan":
        probabilities = logits.softmax(dim=1)
        overall, single = (_entropy(p).sum(dim=-1) for p in (probabilities.mean(dim=0), probabilities))
        return entropy, float((overall - single.mean()) / np.log(codes))
    ones = logits.sigmoid()
    overall, single = (_entropy(p) + _entropy(1 - p) for p in (ones.mean(dim=0), ones))
    return entropy, float((overall - single.mean(dim=0)).mean() / np.log(2))


def _entropy(probabilities: Tensor) -> Tensor:
    return -torch.xlogy(probabilities, probabilities)


def _distances(generated: Tensor, real: Tensor) -> tuple[float, float, float]:
    """Mean distances between the two sets, within the first and within the second."""

    def within(points: Tensor) -> float:
        return float(torch.pdist(points).mean())

    return float(torch.cdist(generated, real).mean()), within(generated), within(real)


def _best_assignment(codes: np.ndarray, words: np.ndarray) -> float:
    table = np.zeros((int(codes.max()) + 1, int(words.max()) + 1))
    np.add.at(table, (codes, words), 1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / len(words))
