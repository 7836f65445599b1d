"""What removing raters by what is compared does where nothing differs: the bias of the outcome filter, simulated."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from layerstats.checks import check_count, check_not_negative, check_seed
from layerstats.errors import DataError
from layerstats.stats.ratings.cleaning import clean
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import check_frame

CONDITIONS = ("classifier", "decoder")
# Half-way between points of the scale: what is heard is rounded to 1 ... 5.
CUTS = np.array([1.5, 2.5, 3.5, 4.5])
# Of every rater's catch trials, the share that a careful and that a careless rater misses.
MISSED = {"careful": 0.02, "careless": 0.6}


@dataclass(frozen=True)
class OpinionWorld:
    """Raters and clips of two conditions, "classifier" and "decoder".

    Attributes
    ----------
    raters, clips, clips_per_rater
        How many raters; clips of each condition; of these how many a rater hears, drawn without replacement.
    mean, difference
        Of the classifier's clips on the scale, before rounding to 1 ... 5, and how much higher the decoder's are.
    rater_sd, clip_sd, noise_sd
        Standard deviations: how kind raters are, how good clips are, and of single answers.
    careless
        Share of raters who answer at random and miss most catch trials.
    catch_trials
        Of each rater.

    Examples
    --------
    >>> OpinionWorld(raters=20, clips=40).clips_per_rater
    20
    """

    raters: int = 60
    clips: int = 60
    clips_per_rater: int = 20
    mean: float = 2.2
    difference: float = 0.0
    rater_sd: float = 0.6
    clip_sd: float = 0.5
    noise_sd: float = 0.7
    careless: float = 0.1
    catch_trials: int = 4

    def __post_init__(self) -> None:
        for name in ("raters", "clips", "clips_per_rater", "catch_trials"):
            check_count(name, getattr(self, name))
        for name in ("rater_sd", "clip_sd", "noise_sd", "careless"):
            check_not_negative(name, getattr(self, name))

    def true_difference(self) -> float:
        """Return the decoder's mean rating less the classifier's, over clips and careful raters."""
        spread = np.sqrt(self.rater_sd**2 + self.clip_sd**2 + self.noise_sd**2)
        means = [1 + norm.sf(CUTS, mean, spread).sum() for mean in (self.mean, self.mean + self.difference)]
        return float(means[1] - means[0])

    def draw(self, generator: np.random.Generator) -> pd.DataFrame:
        """Draw answers: `rater, clip, role, condition, rating, expected`."""
        kind = generator.normal(0, self.rater_sd, self.raters)
        careless = generator.random(self.raters) < self.careless
        quality = self.mean + generator.normal(0, self.clip_sd, (2, self.clips))
        quality[1] += self.difference
        heard = min(self.clips_per_rater, self.clips)
        clip = np.stack([[generator.permutation(self.clips)[:heard] for _ in range(2)] for _ in range(self.raters)])
        latent = quality[np.arange(2)[None, :, None], clip] + kind[:, None, None]
        latent = latent + generator.normal(0, self.noise_sd, latent.shape)
        rating = np.where(
            careless[:, None, None], generator.integers(1, 6, latent.shape), 1 + np.searchsorted(CUTS, latent)
        )
        rater, condition, _ = np.indices(latent.shape)
        names = np.array(CONDITIONS, dtype=object)[condition.ravel()]
        test = pd.DataFrame(
            {
                "rater": [f"r{number}" for number in rater.ravel()],
                "clip": [f"{name}_{number}" for name, number in zip(names, clip.ravel(), strict=True)],
                "role": "test",
                "condition": names,
                "rating": rating.ravel().astype(float),
                "expected": np.nan,
            }
        )
        share = np.where(careless, MISSED["careless"], MISSED["careful"])
        missed = generator.random((self.raters, self.catch_trials)) < share[:, None]
        catch = pd.DataFrame(
            {
                "rater": np.repeat([f"r{number}" for number in range(self.raters)], self.catch_trials),
                "clip": "catch",
                "role": "catch",
                "rating": np.where(missed, 1.0, 4.0).ravel(),
                "expected": 4.0,
            }
        )
        return pd.concat([test, catch], ignore_index=True)


DEFAULT_WORLDS = {
    "nothing differs": OpinionWorld(),
    "nothing differs, raters alike": OpinionWorld(rater_sd=0.2),
    "nothing differs, 5 clips a rater": OpinionWorld(clips_per_rater=5),
    "decoder .3 better": OpinionWorld(difference=0.3),
}
FILTERS = {
    "no rule": [],
    "catch_missed": [{"rule": "catch_missed", "most_share": 0.25}],
    "outcome_filter": [{"rule": "outcome_filter", "condition": CONDITIONS[0], "least": 4}],
}


def calibrate_outcome_filter(
    worlds: dict[str, OpinionWorld] | None = None, *, datasets: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Simulate what the filter of Soomro et al. 2019 does to a difference, beside rules that do not look at it.

    Raters who ever rated the classifier's clips 4 or better are removed with all their ratings; then the decoder's mean
    rating is compared with the classifier's.

    Parameters
    ----------
    worlds : dict of OpinionWorld, optional
        By name; by default `DEFAULT_WORLDS`.
    datasets : int
        Data sets a world.
    seed : int
        The same data sets for every rule.

    Returns
    -------
    DataFrame
        ``world, rule, true_difference`` (decoder - classifier, to careful raters), ``estimate`` (mean over data sets),
        ``bias, std_error`` (of the bias, by simulation), ``share_kept`` (of raters), ``datasets, seed``. Data sets of
        which a rule leaves nothing are left out of its means, and of `datasets`.

    Examples
    --------
    >>> study = calibrate_outcome_filter({"nothing differs": OpinionWorld(raters=30)}, datasets=10)
    >>> bool(study.set_index("rule").loc["outcome_filter", "bias"] > 0.02)
    True
    """
    check_count("datasets", datasets)
    check_seed(seed)
    rows = []
    for name, world in (DEFAULT_WORLDS if worlds is None else worlds).items():
        found: dict[str, list[tuple[float, float]]] = {rule: [] for rule in FILTERS}
        for number in range(datasets):
            answers = world.draw(replicate_generator(seed, number))
            for rule, rules in FILTERS.items():
                found[rule].append(_difference(answers, rules))
        truth = world.true_difference()
        for rule, pairs in found.items():
            values = np.array(pairs)
            differences, kept = values[np.isfinite(values[:, 0])].T
            error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.nan
            mean = differences.mean() if len(differences) else np.nan
            rows.append(
                {
                    "world": name, "rule": rule, "true_difference": truth, "estimate": mean, "bias": mean - truth,
                    "std_error": error, "share_kept": kept.mean() if len(kept) else 0.0,
                    "datasets": len(differences), "seed": seed,
                }
            )  # fmt: skip
    return check_frame(pd.DataFrame(rows))


def _difference(answers: pd.DataFrame, rules: list[dict[str, object]]) -> tuple[float, float]:
    """Return the difference that is found and the share of raters that are kept; NaN where none is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            cleaned = clean(answers, rules)
        except DataError:
            return np.nan, 0.0
    every = cleaned.without.loc[cleaned.without["rules"] == "every rule"].set_index("condition")["estimate"]
    kept = len(set(cleaned.table["rater"])) / len(set(answers["rater"]))
    if len(every) < 2:
        return np.nan, kept
    return float(every[CONDITIONS[1]] - every[CONDITIONS[0]]), kept
