"""A few draws of two classes, as an audition takes them: tones that anybody can tell apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.report.audition import Draw, Exemplar, Sound, SpectrogramAxes

RATE_HZ = 22050
AXES = SpectrogramAxes(1.0, {"1 kHz": 0.35, "4 kHz": 0.8}, 100.0)


def tone(pitch_hz: float, seed: int = 0) -> Sound:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    features = np.random.default_rng(seed).uniform(0, 0.2, (90, 80))
    features[:, round(pitch_hz / 50)] = 1.0
    return Sound(0.5 * np.sin(2 * np.pi * pitch_hz * time_s), RATE_HZ, features)


def draws(targets=("no", "yes"), set_ups=("decoder", "none"), number=2):
    for set_up in set_ups:
        for target in targets:
            for each in range(number):
                judged = pd.DataFrame(
                    {
                        "judge": ["seed0", "seed1", "pocketsphinx"],
                        "response": [target, target if each == 0 else "stop", "stop" if set_up == "none" else target],
                        "score": [0.9, 0.25, np.nan],
                    }
                )
                yield Draw(
                    start=f"{target}_{each:05d}",
                    target=target,
                    set_up=set_up,
                    network="seed0",
                    number=each,
                    seed=2**60 + 1 + each,
                    before=tone(300, each),
                    after=tone(1500, each),
                    judgements=judged,
                    command=f"layerstats maximize seed0.safetensors again.zarr --targets {target} --prior {set_up}",
                    facts={"steps": "20"},
                )


def exemplars(targets=("no", "yes", "stop")):
    return [Exemplar(f"{word}_{speaker}", word, speaker, tone(700)) for word in targets for speaker in ("ann", "bob")]
