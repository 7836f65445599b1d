"""Small data sets and requests for the tests of the structured engine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm.request.builder import build_request
from layerstats.stats.gamm.request.task import FitTask


@pytest.fixture(scope="session")
def make_request():
    """Return a function from a formula and a table to a request, as `fit` makes it."""

    def build(formula, data, **options):
        series = {"series": "token", "order": "x"} if "token" in data else {}
        return build_request(FitTask(formula, data, **series, **options))[0]

    return build


@pytest.fixture(scope="session")
def make_tokens():
    """Return a function that simulates words, speakers and tokens with curves of their own."""

    def build(tokens=12, samples=8, *, balanced=True, seed=0, noise=0.3):
        generator = np.random.default_rng(seed)
        number = np.repeat(np.arange(tokens), samples)
        x = np.tile(np.arange(1.0, samples + 1), tokens)
        speaker = number * 4 // tokens
        level = generator.normal(0, 0.4, tokens)[number] + generator.normal(0, 0.4, 4)[speaker]
        slope = generator.normal(0, 0.4, tokens)[number] * np.cos(3 * x / samples)
        data = pd.DataFrame(
            {
                "token": [f"t{i:03d}" for i in number],
                "word": np.array(["a", "b", "c"])[number % 3],
                "speaker": [f"s{i}" for i in speaker],
                "x": x,
                "v": generator.uniform(0, 1, len(x)).round(2),
                "w": generator.uniform(0.5, 2, len(x)).round(2),
                "y": np.sin(4 * x / samples + number % 3) + level + slope + generator.normal(0, noise, len(x)),
            }
        )
        data["d"] = (data["word"] == "b").astype(float)
        if balanced:
            return data
        return data[generator.uniform(size=len(data)) > 0.3].reset_index(drop=True)

    return build


# Terms of every kind, in the dense corner and in blocks, alone and together.
FORMULAS = {
    "token curves": "y ~ word + s(x, k = 5) + s(x, by = word_o, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)",
    "no random part": "y ~ word * v + s(x, by = word, bs = 'cr', k = 5)",
    "product": "y ~ word + te(x, v, k = c(4, 3)) + s(token, bs = 're')",
    "interaction": "y ~ s(x, bs = 'ps', k = 6) + s(v, k = 4) + ti(x, v, k = c(4, 3)) + s(speaker, bs = 're')",
    "nested": "y ~ s(x, k = 5) + s(x, by = d, k = 4) + s(x, token, bs = 'fs', m = 1, k = 4) + s(speaker, bs = 're')",
    "contained": "y ~ word + s(x, k = 5) + te(x, v, k = c(4, 3)) + s(x, token, bs = 'fs', m = 1, k = 4)",
    "contained in the corner": "y ~ s(x, k = 4) + s(v, k = 4) + te(x, v, k = 3) + s(token, bs = 're')",
    "slopes": "y ~ word + s(x, k = 4) + s(token, bs = 're') + s(token, x, bs = 're')",
    "two curves": "y ~ s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4)",
    "by speaker": "y ~ word + s(x, k = 4) + s(x, speaker, by = word, bs = 'fs', m = 1, k = 4)",
}


@pytest.fixture(params=list(FORMULAS))
def formula(request):
    return FORMULAS[request.param]
