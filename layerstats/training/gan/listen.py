"""Generated clips to hear."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import torch

from layerstats.models import InfoWaveGAN

MOST_CODES = 16


@torch.no_grad()
def write_samples(model: InfoWaveGAN, folder: Path, rate_hz: int, voices: int = 2, seed: int = 0) -> list[Path]:
    """Write every code (the first 16 at most) said with the same few noise vectors, as 16-bit wav files.

    Parameters
    ----------
    model : InfoWaveGAN
    folder : Path
        Made where it is missing.
    rate_hz : int
        Sampling rate in Hz.
    voices : int
        Noise vectors.
    seed : int
        Seed of the noise vectors.

    Returns
    -------
    list of Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = next(model.parameters()).device
    noise = model.draw_noise(voices, torch.Generator().manual_seed(seed))
    if model.kind == "ciwgan":
        codes = model.code_table()[:MOST_CODES]
        names = [str(number) for number in range(len(codes))]
    else:
        counted = torch.arange(min(2**model.codes, MOST_CODES))
        codes = ((counted[:, None] >> torch.arange(model.codes - 1, -1, -1)) & 1).float()
        names = ["".join(str(int(bit)) for bit in code) for code in codes]
    written = []
    for name, code in zip(names, codes, strict=True):
        latent = torch.cat([code.expand(voices, -1), noise], dim=1)
        for voice, waveform in enumerate(model.generator(latent.to(place)).float().cpu().numpy()):
            path = folder / f"code_{name}_noise_{voice}.wav"
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate_hz)
                file.writeframes(np.rint(32767 * waveform).astype("<i2").tobytes())
            written.append(path)
    return written
