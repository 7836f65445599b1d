"""How often the tests of cues, paths and codes err, and their intervals hold the truth, in worlds that are known.

python bench/exaggeration_calibration.py [SHARE]

SHARE of the data sets that the tables in docs/how-to/exaggeration.md are of (1 by default), for a quick look.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.stats import code_movement, compare_paths, measure_exaggeration, read_moved_codes
from layerstats.store import open_store, store_arrays

FRONT_END = (
    '{"rate_hz": 22050, "hop": 256, "mels": 80, "low_hz": 125.0, "high_hz": 7600.0, "reference_db": 20.0, '
    '"range_db": 100.0}'
)
PERMUTATIONS = 99


def spectrograms(rng: np.random.Generator, count: int, spread: float) -> np.ndarray:
    """Two formants under an envelope, somewhere in the clip, (item, time, mel); items lie `spread` apart."""
    time, mel = np.arange(90)[None, :, None], np.arange(80)[None, None]
    onset, lasts = rng.integers(5, 15, (count, 1, 1)), rng.integers(35, 50, (count, 1, 1))
    envelope = 1 / (1 + np.exp(-(time - onset) / 2)) / (1 + np.exp((time - onset - lasts) / 2))
    draws = rng.normal(size=(4, count, 1, 1)) * spread
    # Formants move, each item in its own way.
    moves = 4 * draws[2] * np.sin((time - onset) / 12)
    first, second = 12 + 3 * draws[0] + moves / 2, 35 + 5 * draws[1] - moves
    peaks = 0.3 * np.exp(-(((mel - first) / 4) ** 2)) + 0.25 * np.exp(-(((mel - second) / 5) ** 2))
    noise = 0.02 * rng.normal(size=(count, 90, 80))
    return envelope * (0.45 + peaks) * (1 + 0.05 * draws[3]) + noise


def store_of(folder: str, number: int, features: np.ndarray, tokens: pd.DataFrame):
    """Store items with their features, and open the store."""
    path = store_arrays(
        Path(folder) / f"{number}.zarr",
        tokens,
        {"features": np.clip(features, 0, 1).transpose(0, 2, 1)},
        time_s={"features": np.arange(90) * 256 / 22050},
        attrs={"front_end": FRONT_END},
    )
    return open_store(path)


def curves(datasets: int, speakers: int, starts: int, spread: float, paired: bool, balanced: bool = True) -> dict:
    """No difference: maximized items are natural ones of other speakers, or the same ones again with noise."""
    p_values, covered = [], []
    for number in range(datasets):
        rng = np.random.default_rng([number, speakers, starts, paired])
        natural = spectrograms(rng, speakers, 1.0)
        made = natural + 0.02 * rng.normal(size=natural.shape) if paired else spectrograms(rng, starts, spread)
        if paired:
            natural = natural + 0.02 * rng.normal(size=natural.shape)
        who = [f"p{n}" for n in range(speakers)] + [f"p{n}" if paired else f"start{n}" for n in range(len(made))]
        conditions = ["natural"] * speakers + ["maximized"] * len(made)
        tokens = pd.DataFrame({"token": [f"{c}/{w}" for c, w in zip(conditions, who, strict=True)], "word": "yes"})
        tokens = tokens.assign(speaker=who, split="test", condition=conditions, pair=who if paired else "")
        with tempfile.TemporaryDirectory() as folder:
            view = store_of(folder, 0, np.concatenate([natural, made]), tokens)
            result = measure_exaggeration(view, measures=["F2 band"], balanced=balanced)
        p_values.append(result.table[["joint_p_value", "level_p_value", "shape_p_value"]].iloc[0].tolist())
        inside = (result.difference["conf_low"] <= 0) & (result.difference["conf_high"] >= 0)
        covered.append(bool(inside.all()))
    rejected = (np.array(p_values) < 0.05).mean(axis=0)
    return {"joint": rejected[0], "level": rejected[1], "shape": rejected[2], "band covers": np.mean(covered)}


def cue_intervals(datasets: int, speakers: int, starts: int, spread: float) -> dict:
    """Exaggerate a cue by 0 or 1 natural standard deviation, in items that lie `spread` of one apart."""
    from layerstats.stats.exaggeration.unit_differences import UnitDifference, welch_t

    found = {}
    rng = np.random.default_rng(7)
    for true in (0.0, 1.0):
        inside = rejected = 0
        for _ in range(datasets):
            natural, made = rng.normal(size=speakers), true + spread * rng.normal(size=starts)
            one = UnitDifference(*welch_t(made, natural), (starts, speakers), False, natural.std(ddof=1), speakers)
            low, high = one.in_sd_interval(0.95)
            inside += low <= true <= high
            rejected += one.statistic > 0 and _one_sided(one) < 0.05
        found[f"covers {true:g}"] = inside / datasets
        found[f"found at {true:g}"] = rejected / datasets
    return found


def _one_sided(one) -> float:
    from scipy import stats

    return float(stats.t.sf(one.statistic, one.df))


def paths(datasets: int, speakers: int, starts: int, share: float) -> dict:
    """Items that have `share` of their word's pattern: 1 is natural."""
    estimates, ends, p_values = [], [], []
    for number in range(datasets):
        rng = np.random.default_rng([number, speakers, starts])
        patterns, voices = rng.normal(size=(6, 60)), 0.5 * rng.normal(size=(speakers + 6 * starts, 60))
        rows, values = [], []
        for word in range(6):
            for speaker in range(speakers):
                rows.append((f"n{word}_{speaker}", f"w{word}", f"p{speaker}", "natural"))
                values.append(patterns[word] + voices[speaker] + rng.normal(size=60))
            for start in range(starts):
                name = f"s{word}_{start}"
                rows.append((name, f"w{word}", name, "maximized"))
                values.append(share * patterns[word] + voices[speakers + word * starts + start] + rng.normal(size=60))
        tokens = pd.DataFrame(rows, columns=["token", "word", "speaker", "condition"]).assign(split="")
        with tempfile.TemporaryDirectory() as folder:
            shaped = np.array(values).reshape(len(values), 12, 5)
            path = store_arrays(Path(folder) / "s.zarr", tokens, {"a": shaped}, time_s={"a": np.arange(5)})
            result = compare_paths(open_store(path), draws=200, seed=number)
        row = result.table.iloc[0]
        estimates.append(row["path_similarity"])
        ends.append((row["conf_low"], row["conf_high"]))
        p_values.append(result.comparisons["p_value"].iloc[0])
    true = 1.0 if share == 1 else float(np.mean(estimates))
    low, high = np.array(ends).T
    return {
        "truth": true,
        "covers": np.mean((low <= true) & (true <= high)),
        "differs": np.mean(np.array(p_values) < 0.05),
    }


def codes(datasets: int, speakers: int, words: int) -> dict:
    """Codes of speakers and words of which words make no difference; displacement has nothing to do with the margin."""
    found = {"words differ": [], "displacement": [], "speakers' share": [], "corrections": []}
    shares, rate = [], 0.6
    for number in range(datasets):
        rng = np.random.default_rng([number, speakers, words, 3])
        word, speaker = np.repeat(np.arange(words), speakers), np.tile(np.arange(speakers), words)
        before = rng.normal(size=(speakers, 8))[speaker] + rng.normal(size=(len(word), 8))
        length = np.exp(0.3 * rng.normal(size=speakers)[speaker] + 0.3 * rng.normal(size=len(word)))
        moves = rng.normal(size=before.shape)
        after = before + length[:, None] * moves / np.linalg.norm(moves, axis=1, keepdims=True)
        margin = rng.normal(size=speakers)[speaker] + rng.normal(size=len(word))
        # Whether a start is corrected goes by the speaker, too.
        ability = rng.beta(rate * 4, (1 - rate) * 4, size=speakers)[speaker]
        right = rng.random(len(word)) < ability
        classes = [f"w{n}" for n in range(words)]
        scores = np.full((len(word), words), 1e-6)
        scores[np.arange(len(word)), word] = 1 / (1 + np.exp(-margin))
        scores[np.arange(len(word)), (word + 1) % words] = 1 / (1 + np.exp(margin))
        heard = np.where(right, word, (word + 1) % words)
        tokens = pd.DataFrame({"token": [f"t{n}" for n in range(len(word))], "word": np.array(classes)[word]})
        tokens = tokens.assign(speaker=[f"p{n}" for n in speaker], split="test")
        outcome = xr.Dataset(
            {
                "token": ("start", tokens["token"].to_numpy(dtype=object)),
                "target": ("start", tokens["word"].to_numpy(dtype=object)),
                "codes_before": (("start", "code"), before),
                "codes_after": (("start", "code"), after),
                "scores_before": (("start", "class"), scores),
                "scores_after": (("start", "class"), np.eye(words)[heard]),
            },
            coords={"start": tokens["token"].to_numpy(dtype=object), "class": np.array(classes, dtype=object)},
        )
        moved = read_moved_codes(outcome, tokens)
        moved.starts["misclassified"] = True
        result = code_movement(moved, permutations=PERMUTATIONS, seed=number)
        variance = result.variance.set_index(["factor", "moment"])
        found["words differ"].append(variance.loc[("word", "before"), "p_value"] <= 0.05)
        found["displacement"].append(result.displacement["p_value"].iloc[0] <= 0.05)
        shares.append(variance.loc[("speaker", "before"), ["estimate", "conf_low", "conf_high"]].tolist())
        row = result.corrections.iloc[0]
        found["corrections"].append(row["conf_low"] <= rate <= row["conf_high"])
    estimate, low, high = np.array(shares).T
    found["speakers' share"] = (low <= estimate.mean()) & (estimate.mean() <= high)
    return {name: float(np.mean(values)) for name, values in found.items()}


def main(share: float = 1.0) -> None:
    """Print a line a world."""

    def count(datasets: int) -> int:
        return max(2, round(share * datasets))

    for speakers, starts, spread in ((12, 12, 1.0), (12, 12, 0.3), (12, 48, 1.0), (12, 48, 0.3)):
        print("cue", speakers, starts, spread, cue_intervals(count(4000), speakers, starts, spread), flush=True)
    for speakers, words in ((8, 6), (16, 6)):
        print("codes", speakers, words, codes(count(300), speakers, words), flush=True)
    for speakers, starts, part in ((8, 10, 1.0), (16, 10, 1.0), (8, 10, 0.5), (16, 10, 0.5)):
        print("paths", speakers, starts, part, paths(count(200), speakers, starts, part), flush=True)
    for options in (
        {"speakers": 12, "starts": 12, "spread": 1.0, "paired": False},
        {"speakers": 12, "starts": 12, "spread": 0.3, "paired": False},
        {"speakers": 12, "starts": 12, "spread": 1.0, "paired": True},
        {"speakers": 12, "starts": 48, "spread": 0.3, "paired": False, "balanced": False},
    ):
        print("curves", options, curves(count(200), **options), flush=True)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
