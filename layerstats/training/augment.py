"""Light changes of clips that leave the word as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

# How far spectrograms are changed: factors, frames, bands, and levels in hundreds of dB; see docs/how-to/networks.md.
_STRETCH, _WARP = (0.8, 1.25), (0.88, 1.14)
_OVERHANG = 8  # frames by which speech may leave the clip on either side
_GAIN, _TILT, _COLOUR = (-0.15, 0.03), 0.08, 0.04
_NOISE_BELOW_PEAK, _NOISE_TEXTURE, _SHARE_NOISY = (0.35, 1.0), 0.05, 0.7
_REVERBERATION = 0.4  # largest share of a frame's power that is left a frame later
_ECHOES = 12
_MASKS = {"time": 6, "mel": 6}
SHORTEST_STRETCH = 0.85  # of utterances
_STRETCH_OF_UTTERANCES = (SHORTEST_STRETCH, 1.2)
_LONGEST_PAUSE = 30  # frames without speech before an utterance, and after it
_MASKS_OF_UTTERANCES = {"time": 12, "mel": 10}
_LOG_POWER = 10 * math.log(10)  # a feature times this is the logarithm of a power


def shift_and_scale(
    waveforms: Tensor, generator: torch.Generator, largest_shift: int = 800, smallest_gain: float = 0.5
) -> Tensor:
    """Move every clip by a random number of samples and make it softer by a random factor.

    Parameters
    ----------
    waveforms : Tensor
        (token, sample).
    generator : torch.Generator
        Source of the random numbers.
    largest_shift : int
        Samples, to either side; what leaves the clip is lost and zeros move in. 800 samples are 50 ms at 16 kHz.
    smallest_gain : float
        Factors are drawn evenly between this and 1.

    Returns
    -------
    Tensor
        (token, sample).

    Examples
    --------
    >>> clips = torch.ones(2, 4)
    >>> changed = shift_and_scale(clips, torch.Generator().manual_seed(0), largest_shift=1)
    >>> changed.shape
    torch.Size([2, 4])
    """
    tokens, samples = waveforms.shape
    shift = torch.randint(-largest_shift, largest_shift + 1, (tokens, 1), generator=generator)
    gain = smallest_gain + (1 - smallest_gain) * torch.rand(tokens, 1, generator=generator)
    origin = torch.arange(samples) - shift
    moved = waveforms.gather(1, origin.clamp(0, samples - 1))
    return torch.where((origin >= 0) & (origin < samples), moved, 0.0) * gain


def vary_features(features: Tensor, random: torch.Generator, heard: int, noise: bool = True) -> Tensor:
    """Change mel spectrograms as other voices, rooms and microphones would, and leave the word as it is.

    Each token is placed elsewhere in its clip, said slower or faster, by a longer or
    shorter vocal tract (its bands are stretched), then softer, through another microphone and in another room (power
    decays from frame to frame), in noise of some colour; last, a stretch of time and one of bands are masked (Park et
    al. 2019). Powers are added, not decibels.

    Parameters
    ----------
    features : Tensor
        (token, time, mel), between 0 and 1, 1 being 100 dB above 0.
    random : torch.Generator
        Source of the random numbers, on the CPU.
    heard : int
        Frames that a clip fills; those behind stay zeros.
    noise : bool
        Whether rooms, noise and masks are added; otherwise only place, tempo, tract, level and microphone change.

    Returns
    -------
    Tensor
        (token, time, mel), between 0 and 1.

    Examples
    --------
    >>> vary_features(torch.rand(2, 90, 80), torch.Generator().manual_seed(0), heard=87).shape
    torch.Size([2, 90, 80])
    """
    draws = torch.rand(len(features), 13, 1, 1, generator=random).to(features.device)
    changed = _move(features, draws[:, :3], heard)
    changed = _heard_elsewhere(changed, draws[:, 3:], random, _MASKS, noise)
    changed = changed.clamp(0, 1)
    changed[:, heard:] = 0
    return changed


def vary_utterances(features: Tensor, lengths: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Change mel spectrograms of utterances as `vary_features` does those of words.

    In place of another place in the clip they get short pauses before and after.

    Parameters
    ----------
    features : Tensor
        (token, time, mel), between 0 and 1, 1 being 100 dB above 0.
    lengths : Tensor
        Frames of each utterance (token,).
    random : torch.Generator
        Source of the random numbers, on the CPU.

    Returns
    -------
    tuple of Tensor
        Features (token, time, mel), zeros beyond each utterance's end, and their lengths (token,).

    Examples
    --------
    >>> features, lengths = torch.rand(2, 90, 80), torch.tensor([90, 70])
    >>> changed, lengths = vary_utterances(features, lengths, torch.Generator().manual_seed(0))
    >>> changed.shape[1] == int(lengths.max())
    True
    """
    draws = torch.rand(len(features), 14, 1, 1, generator=random).to(features.device)
    speed, tract = _tempo_and_tract(draws[:, :2], _STRETCH_OF_UTTERANCES)
    before, after = (_LONGEST_PAUSE * draws[:, 2:4].reshape(-1, 2)).long().unbind(dim=1)
    lengths = (lengths * speed).long().clamp_min(1) + before + after
    changed = _stretch(features, before, speed, tract, int(lengths.max()))
    changed = _heard_elsewhere(changed, draws[:, 4:], random, _MASKS_OF_UTTERANCES)
    beyond = torch.arange(changed.shape[1], device=features.device) >= lengths[:, None]
    return changed.clamp(0, 1).masked_fill(beyond[:, :, None], 0.0), lengths


def _heard_elsewhere(
    features: Tensor, draws: Tensor, random: torch.Generator, masks: Mapping[str, int], noise: bool = True
) -> Tensor:
    """Change level and microphone; then, with `noise`, room, noise and masks."""
    tokens, frames, bands = features.shape
    place = features.device
    position = torch.linspace(-1, 1, bands, device=place)
    colours = torch.randn(2, tokens, bands // 10 + 2, generator=random).to(place)
    colours = _COLOUR * nn.functional.interpolate(colours, bands, mode="linear", align_corners=True)
    microphone, noise_colour = colours[:, :, None]
    response = _between(draws[:, 0], _GAIN) + _TILT * (2 * draws[:, 1] - 1) * position + microphone
    changed = torch.where(features > 0, features + response, 0.0)
    if noise:
        changed = _reverberate(changed, _REVERBERATION * draws[:, 2])
        texture = torch.randn(tokens, frames, bands, generator=random).to(place)
        peak = changed.amax(dim=(1, 2), keepdim=True)
        level = peak - _between(draws[:, 3], _NOISE_BELOW_PEAK) + 0.25 * (draws[:, 4] - 0.7) * position
        noisy = torch.where(draws[:, 5] < _SHARE_NOISY, level, level - 10) + noise_colour + _NOISE_TEXTURE * texture
        changed = torch.logaddexp(changed * _LOG_POWER, noisy * _LOG_POWER) / _LOG_POWER
        changed = _mask(_mask(changed, draws[:, 6:8], 1, masks["time"]), draws[:, 8:10], 2, masks["mel"])
    return changed


def _between(draws: Tensor, limits: tuple[float, float]) -> Tensor:
    return limits[0] + (limits[1] - limits[0]) * draws


def _move(features: Tensor, draws: Tensor, heard: int) -> Tensor:
    """Place, stretch in time, and stretch the bands."""
    frames = features.shape[1]
    speed, tract = _tempo_and_tract(draws[:, :2], _STRETCH)
    active = (features.amax(dim=2) > 0).to(torch.uint8)
    first = active.argmax(dim=1)
    last = frames - 1 - active.flip(1).argmax(dim=1)
    earliest, latest = -first * speed - _OVERHANG, heard - 1 - last * speed + _OVERHANG
    middle = (earliest + latest) / 2
    shift = torch.where(earliest < latest, earliest + (latest - earliest) * draws[:, 2].reshape(-1), middle)
    return _stretch(features, shift, speed, tract, frames)


def _tempo_and_tract(draws: Tensor, stretch: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Draw by what factors speech becomes longer and its bands are stretched, (token,) each."""
    tempo, tract = (
        torch.exp(_between(draws[:, which], (math.log(low), math.log(high)))).reshape(len(draws))
        for which, (low, high) in enumerate((stretch, _WARP))
    )
    return tempo, tract


def _stretch(features: Tensor, shift: Tensor, speed: Tensor, tract: Tensor, output: int) -> Tensor:
    """Return `output` frames: those given, `speed` times as many and `shift` later, bands stretched by `tract`."""
    _, frames, bands = features.shape
    time = (torch.arange(output, device=features.device) - shift[:, None]) / speed[:, None]
    band = torch.arange(bands, device=features.device) * tract[:, None]
    grid = torch.stack(
        [
            ((2 * band + 1) / bands - 1)[:, None, :].expand(-1, output, -1),
            ((2 * time + 1) / frames - 1)[:, :, None].expand(-1, -1, bands),
        ],
        dim=3,
    )
    return nn.functional.grid_sample(features[:, None], grid, align_corners=False)[:, 0]


def _reverberate(features: Tensor, decay: Tensor) -> Tensor:
    """Let every frame's power die away geometrically in those that follow."""
    tokens, frames, _ = features.shape
    echoes = decay.reshape(tokens, 1, 1) ** torch.arange(_ECHOES, device=features.device).float()
    power = torch.exp(features * _LOG_POWER)
    # (token * mel) would be many groups: a matrix of decays a token does the same in one product.
    lag = torch.arange(frames, device=features.device)[:, None] - torch.arange(frames, device=features.device)
    weights = torch.where(
        (lag >= 0) & (lag < _ECHOES),
        echoes[:, 0][:, lag.clamp(0, _ECHOES - 1)],
        torch.zeros((), device=features.device),
    )
    return (weights @ power).clamp_min(1).log() / _LOG_POWER


def _mask(features: Tensor, draws: Tensor, axis: int, longest: int) -> Tensor:
    """Put the clip's mean in the place of a stretch of one axis."""
    size = features.shape[axis]
    shape = (1, size, 1) if axis == 1 else (1, 1, size)
    index = torch.arange(size, device=features.device).reshape(shape)
    length = longest * draws[:, 0]
    start = draws[:, 1] * (size - length)
    return torch.where((index >= start) & (index < start + length), features.mean(dim=(1, 2), keepdim=True), features)
