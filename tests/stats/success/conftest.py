"""Attempts with known truth: networks that hear themselves best, a recogniser, and set-ups that differ."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.rbridge import r_status

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def make_frame():
    """Return a function that makes a table of attempts, a row a start and judge."""

    def make(networks=4, classes=4, starts=20, own=0.9, other=0.6, set_up="smooth", null="", seed=0, prefix="net"):
        rng = np.random.default_rng(seed)
        names = [f"{prefix}{number}" for number in range(networks)]
        judges = names if prefix == "net" else [*names, "net0", "net1", "net2"]
        words = [f"word{number}" for number in range(classes)]
        rows = []
        for network in names:
            for target in words:
                for number in range(starts):
                    before = str(rng.choice(words))
                    for judge in [*judges, "pocketsphinx"]:
                        if judge in names and judge != network and prefix != "net":
                            continue
                        right = rng.random() < (own if judge == network else other)
                        heard = target if right else words[(words.index(target) + 1) % classes]
                        score = np.nan if judge == "pocketsphinx" else 0.8 * right + 0.1
                        rows.append((network, target, f"{target}_{number:05}", number, judge, heard, score, before))
        columns = ["network", "target", "start", "number", "judge", "response", "score", "response_before"]
        return pd.DataFrame(rows, columns=columns).assign(set_up=set_up, null=null, seed=lambda table: table["number"])

    return make


@pytest.fixture
def lme4():
    """Skip where R lacks lme4."""
    if r_status().lme4_version is None:
        pytest.skip("R's lme4 is not installed; apt-get install r-cran-lme4")
