"""What a generator says: its outputs as a corpus, so that every analysis of speech runs on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_positive
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError, DataError
from layerstats.models import InfoWaveGAN, device_for, running

# The same batches whatever else is asked for: convolutions may round otherwise in others.
_BATCH = 32
# Half of full scale: room for players, and audio that a broken generator saturates is not taken for a damaged file.
_PEAK = 16384
# About 300 MB of speech.
_MOST_TOKENS = 10_000


@dataclass(frozen=True)
class _Code:
    """A code as text, and what stands for it in the latent vector."""

    name: str
    vector: Tensor


def generate_speech(
    model: nn.Module,
    *,
    codes: Sequence[str | int] | None = None,
    voices: int = 50,
    value: float | Sequence[float] = 1.0,
    seed: int = 0,
    device: str = "auto",
    rate_hz: int = 16000,
    silence_s: float = 0.025,
) -> Corpus:
    """Let the generator of an InfoWaveGAN say its codes: a corpus whose words are codes and whose speakers are noise.

    Every code is said with the same noise vectors, so that a noise vector is to generated speech what a speaker is to
    recorded speech: crossed with the words. Recording and word contrasts then run as on any corpus. The same seed
    gives the same samples on the same device.

    Parameters
    ----------
    model : InfoWaveGAN
        A ciwGAN or fiwGAN.
    codes : sequence of str or int, optional
        Codes as `read_codes` writes them: "0", "1", ... of a ciwGAN, bits such as "01101" of a fiwGAN. By default all.
    voices : int
        Number of noise vectors.
    value : float or sequence of float
        What stands for a one in the code. Training knows 1 only; larger values make what a code stands for more
        distinct (Begus & Zhou 2022 set codes beyond the training range). With several, every code is said with each.
    seed : int
        Seed of the noise.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    rate_hz : int
        Sampling rate of the speech that the network learned.
    silence_s : float
        Seconds cut off at both ends, where every clip that the network learned from is silent: `Clips` puts them back,
        so that the speech stands in a clip where the generator put it. 0 keeps all.

    Returns
    -------
    Corpus
        Without phones; tokens `token, word` ("code 3"), `speaker` ("noise 0007"), `split` ("generated"),
        `duration_s, code, code_value`, and `peak`, the largest absolute sample: the audio itself has a peak of 0.5.
        Every token lasts as long as the generator's output, silence after the word included.

    Raises
    ------
    ArgumentError
        The network has no generator, a code does not exist or occurs twice, or more than 10,000 tokens are asked for.
    DataError
        The generator gives silence or NaN.

    Examples
    --------
    >>> from layerstats.models import InfoWaveGAN, seeded
    >>> with seeded(0):
    ...     network = InfoWaveGAN(codes=2, width=1)
    >>> speech = generate_speech(network, voices=3, value=[1, 2])
    >>> len(speech), speech.words, speech.speakers
    (12, ('code 0', 'code 1'), ('noise 0000', 'noise 0001', 'noise 0002'))
    """
    if not isinstance(model, InfoWaveGAN):
        raise ArgumentError(
            f"A {type(model).__name__} has no generator. Give an InfoWaveGAN, for instance the shipped "
            "checkpoint ciwgan.safetensors."
        )
    check_positive("voices", voices)
    check_positive("rate_hz", rate_hz)
    values = _values(value)
    chosen = _codes(model, codes)
    edge = round(silence_s * rate_hz)
    length = int(model.configuration["samples"])
    if not 0 <= edge < length // 2:
        raise ArgumentError(f"The 'silence_s' parameter must leave speech of {length} samples, but got {silence_s!r}.")
    total = len(chosen) * len(values) * voices
    if total > _MOST_TOKENS:
        raise ArgumentError(
            f"{len(chosen)} codes x {len(values)} values x {voices} voices are {total} tokens, and {_MOST_TOKENS} is "
            "the most at a time. Name fewer 'codes', or give fewer 'voices'."
        )
    noise = model.draw_noise(voices, torch.Generator().manual_seed(seed))
    rows, samples = [], {}
    for code in chosen:
        for each in values:
            latent = torch.cat([(each * code.vector).expand(voices, -1), noise], dim=1)
            waveforms = _say(model, latent, device)[:, edge : length - edge]
            for voice, waveform in enumerate(waveforms):
                token = f"code-{code.name}_value-{each:g}_noise-{voice:04d}"
                peak = float(np.abs(waveform).max())
                if not np.isfinite(peak) or peak == 0:
                    what = "silence" if peak == 0 else "NaN or infinite samples"
                    raise DataError(f"The generator gives {what} for {token!r}: has its training failed?")
                samples[token] = np.rint(waveform * (_PEAK / peak)).astype(np.int16)
                rows.append(
                    {
                        "token": token,
                        "word": f"code {code.name}",
                        "speaker": f"noise {voice:04d}",
                        "split": "generated",
                        "duration_s": len(waveform) / rate_hz,
                        "code": code.name,
                        "code_value": each,
                        "peak": peak,
                    }
                )
    return Corpus("generated", pd.DataFrame(rows), empty_phones(), rate_hz, MemoryAudio(samples))


def _values(value: float | Sequence[float]) -> list[float]:
    values = [float(each) for each in ([value] if isinstance(value, int | float) else value)]
    if not values or not np.isfinite(values).all() or len(set(values)) < len(values):
        raise ArgumentError(f"The 'value' parameter must be a number or several different ones, but got {value!r}.")
    return values


def _codes(model: InfoWaveGAN, codes: Sequence[str | int] | None) -> list[_Code]:
    """Return the chosen codes, or all, in the order of the network's table."""
    if codes is None:
        table = model.code_table()
        return [_Code(_name(model, row), row) for row in table]
    names = [str(code) for code in codes]
    if not names or len(set(names)) < len(names):
        raise ArgumentError(f"The 'codes' parameter must list at least one code, none twice, but got {codes!r}.")
    if model.kind == "ciwgan":
        for name in names:
            check_choice("codes", name, [str(code) for code in range(model.codes)])
        return [_Code(name, model.code_table()[int(name)]) for name in names]
    for name in names:
        if len(name) != model.codes or set(name) - {"0", "1"}:
            raise ArgumentError(
                f"Invalid value for the 'codes' parameter. Codes of this network have {model.codes} bits, for instance "
                f"{'01' * (model.codes // 2) + '0' * (model.codes % 2)!r}, but got {name!r} instead."
            )
    return [_Code(name, torch.tensor([float(bit) for bit in name])) for name in names]


def _name(model: InfoWaveGAN, vector: Tensor) -> str:
    bits = vector.int().tolist()
    return str(bits.index(1)) if model.kind == "ciwgan" else "".join(map(str, bits))


def _say(model: InfoWaveGAN, latent: Tensor, device: str) -> np.ndarray:
    """Return waveforms (token, sample) of latent vectors (token, latent)."""
    place = device_for(model, device)
    with running(model, place):
        parts = [model.generator(batch.to(place)).float().cpu() for batch in latent.split(_BATCH)]
    return torch.cat(parts).numpy()
