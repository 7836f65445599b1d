"""What is put in place of speech, as a network hears it, with the normalisation of the utterance that it replaces."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from layerstats.errors import ArgumentError, DataError
from layerstats.models import MelFrontEnd

MEAN_SPECTRUM, NOISE, OTHER_UTTERANCE = "mean spectrum", "noise with the speaker's spectrum", "another utterance"
# As in `z_normalise`: rounding of a constant is no variation.
_LEAST_DEVIATION = 1e-5


def speech_replacements(
    front_end: MelFrontEnd, waveforms: Sequence[np.ndarray], speakers: Sequence[str], *, seed: int = 0
) -> list[dict[str, Tensor]]:
    """Make what is put in place of each utterance's frames: zero is no speech, and each of these is some kind of it.

    "mean spectrum" is the mean of the speaker's frames, in decibels. "noise with the speaker's spectrum" is stationary:
    the speaker's utterances with the phases of their spectrum drawn at random, at the level of the utterance. "another
    utterance" has the frames of one of the same speaker, or of another speaker where there is none, from a random place
    on. All are z-normalised by the mean and the standard deviation of the utterance that they replace, so that what
    is left of it stays as it was.

    Parameters
    ----------
    front_end : MelFrontEnd
        Of the network.
    waveforms : sequence of ndarray
        (sample,) an utterance each, at the front end's rate.
    speakers : sequence of str
        Who says each.
    seed : int
        Of phases and places; they depend on it and on what is said alone.

    Returns
    -------
    list of dict
        For each utterance features (time, mel) by name of the replacement, as long as its own.

    Raises
    ------
    ArgumentError
        There are not as many speakers as utterances.
    DataError
        There is one utterance only, so that no other can stand in its place, or one is silent.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sounds = [rng.standard_normal(8000).astype("float32"), rng.standard_normal(9000).astype("float32")]
    >>> found = speech_replacements(MelFrontEnd(frames=0), sounds, ["s1", "s1"])
    >>> {name: tuple(values.shape) for name, values in found[0].items()}["mean spectrum"]
    (32, 80)
    """
    if len(waveforms) != len(speakers):
        raise ArgumentError(f"There are {len(waveforms)} utterances and {len(speakers)} speakers: give one each.")
    if len(waveforms) < 2:
        raise DataError("One utterance has no other that could stand in its place: give two or more.")
    if any(not np.any(waveform) for waveform in waveforms):
        raise DataError("An utterance is silent: nothing can be put in its place at its level.")
    names = np.asarray([str(speaker) for speaker in speakers])
    # Where the network is, which may be a GPU.
    place = front_end.filterbank.device
    sounds = [torch.from_numpy(np.asarray(waveform, dtype=np.float32)).to(place)[None] for waveform in waveforms]
    with torch.no_grad():
        heard = [front_end.unit_features(sound) for sound in sounds]
        means = {name: _mean([heard[row] for row in np.flatnonzero(names == name)]) for name in np.unique(names)}
        found = []
        for row, own in enumerate(heard):
            generator = np.random.default_rng([seed, zlib.crc32(np.asarray(waveforms[row], dtype="<f4").tobytes())])
            same = np.flatnonzero(names == names[row])
            noise = _phases_at_random(torch.cat([sounds[one] for one in same], dim=1), sounds[row].shape[1], generator)
            other = heard[_other(row, same, len(names))]
            values = {
                MEAN_SPECTRUM: means[names[row]].expand_as(own),
                NOISE: _at_level(front_end, noise, sounds[row]),
                OTHER_UTTERANCE: _as_long(other, own.shape[1], generator),
            }
            found.append({name: _normalised(front_end, one, own)[0] for name, one in values.items()})
    return found


def _mean(features: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(features), dim=1).mean(dim=1, keepdim=True)


def _other(row: int, same: np.ndarray, utterances: int) -> int:
    """Return the next utterance of the same speaker, or the next of anybody."""
    if len(same) > 1:
        return int(same[(np.flatnonzero(same == row)[0] + 1) % len(same)])
    return (row + 1) % utterances


def _as_long(features: Tensor, frames: int, generator: np.random.Generator) -> Tensor:
    """Return so many frames from a random one on, from the beginning again where they end."""
    first = int(generator.integers(features.shape[1]))
    places = (torch.arange(frames, device=features.device) + first) % features.shape[1]
    return features[:, places]


def _phases_at_random(speech: Tensor, samples: int, generator: np.random.Generator) -> Tensor:
    """Return noise (1, sample) with the magnitude spectrum of speech, whatever its length."""
    spectrum = torch.fft.rfft(speech)
    phases = torch.from_numpy(generator.uniform(0, 2 * np.pi, spectrum.shape[1])).to(speech)
    noise = torch.fft.irfft(spectrum.abs() * torch.polar(torch.ones_like(phases), phases), n=speech.shape[1])
    first = int(generator.integers(speech.shape[1] - samples + 1))
    return noise[:, first : first + samples]


def _at_level(front_end: MelFrontEnd, noise: Tensor, utterance: Tensor) -> Tensor:
    """Return features of noise at the level that an utterance has once its peak is scaled: noise has another peak."""
    crest = [float(sound.square().mean().sqrt() / sound.abs().max()) for sound in (utterance, noise)]
    shift = 20 * np.log10(crest[0] / crest[1]) / front_end.range_db
    return (front_end.unit_features(noise) + shift).clamp(0, 1)


def _normalised(front_end: MelFrontEnd, values: Tensor, utterance: Tensor) -> Tensor:
    if not front_end.normalise:
        return values
    return (values - utterance.mean()) / utterance.std(correction=0).clamp_min(_LEAST_DEVIATION)
