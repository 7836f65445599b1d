"""How often a table of claims says that something holds where nothing is, and finds what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from layerstats.parallel import RunOptions
from layerstats.stats.claims.claim_registry import claims_of
from layerstats.stats.claims.findings import ALPHA, HOLDS
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.layers import LayerContrasts
from layerstats.stats.contrasts.model_checks import PASSED
from layerstats.stats.effect_sizes import TokenSpread, effect_size
from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.stats.null import BINS, compare_with_untrained
from layerstats.stats.resampling.calibration import RECIPES, World, block_sums, run_study
from layerstats.stats.resampling.calibration.study import LEVEL_COEFFICIENT, SHAPE_TERM, fit_all, world_design
from layerstats.stats.resampling.calibration.worlds import LABELS
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.statistics import difference_matrices, differences, smooth_p_values

TRUTHS = ("none", "level")
# As phone_contrast() fits where speakers repeat.
RECIPE = next(one for one in RECIPES if one.name == "AR chosen + fs token + fs speaker + fs speaker-label")
CLAIMS = "claims of phone_contrast"
_DRAWS = 2000
_EMPTY = pd.DataFrame({"layer": [], "term": [], "k": [], "k_index": [], "edf": [], "p_value": []})
_NOT_READ = ("curves", "difference", "regions", "parametric", "smooths", "autocorrelation", "glance", "dropped",
             "durations", "residual_checks")  # fmt: skip


@dataclass(frozen=True)
class ClaimWorld:
    """Layers of a trained network and of untrained ones, each drawn by itself.

    Attributes
    ----------
    name
        In tables.
    speech
        How tokens and speakers vary, and how much the planted difference is.
    untrained
        Networks beside the trained one.
    everywhere
        Difference in level that all networks, trained or not, have at every layer.
    layers, planted
        How many, and the number of the one where the trained network has a difference (more) where there is one.
    """

    name: str
    speech: World
    untrained: int = 20
    everywhere: float = 0.0
    layers: int = 5
    planted: int = 2

    def differences(self, truth: str) -> np.ndarray:
        """Return the difference in level of the trained network at each layer."""
        found = np.full(self.layers, self.everywhere)
        found[self.planted] += self.speech.difference if truth == "level" else 0.0
        return found

    @property
    def token_sd(self) -> float:
        """Standard deviation of tokens about their label's curve, in which effects are measured."""
        speech = self.speech
        varied = speech.token_sd**2 + speech.speaker_sd**2 + speech.contrast_sd**2
        return float(np.sqrt(2 * varied + 1))

    def draw(self, truth: str, generator: np.random.Generator) -> np.ndarray:
        """Draw the series of a data set, (layer, network, token, point), the trained network first."""
        networks = 1 + self.untrained
        values = self.speech.draw("none", [generator] * (self.layers * networks))
        values = values.reshape(self.layers, networks, *values.shape[1:])
        second = self.speech.frame().drop_duplicates("token")["label"].to_numpy() == LABELS[1]
        values[:, :, second] += self.everywhere
        values[:, 0, second] += (self.differences(truth) - self.everywhere)[:, None, None]
        return values


_SPEECH = World("20 speakers", speakers=20, tokens=4, contrast_sd=0.4, difference=1.0)
CLAIM_WORLDS = (
    ClaimWorld("20 untrained networks", _SPEECH),
    ClaimWorld("no untrained networks", _SPEECH, untrained=0),
    ClaimWorld("20 untrained networks that differ as much", _SPEECH, everywhere=1.0),
)


def calibrate_claims(
    worlds: Iterable[ClaimWorld | str] = CLAIM_WORLDS,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 400,
    seed: int = 0,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often claims of a contrast over layers hold, and their intervals cover, where the truth is known.

    Parameters
    ----------
    worlds
        What varies; those of this package by name, or by number from 0.
    truths
        "none": the trained network is one more draw of the untrained ones. "level": it has a difference, or one that is
        larger by as much, at one of its layers.
    datasets
        For each world and truth.
    seed
        A data set depends on it and on its own number alone.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``. "holds": any layer where there is nothing, else
        the layer that has it; "holds elsewhere": any other layer.

    Raises
    ------
    ArgumentError
        There is no such world or truth.

    Examples
    --------
    >>> found = calibrate_claims(["0"], ["none"], datasets=1)
    >>> sorted(found["quantity"].unique())[:3]
    ['any that does not differ is significant', 'covers the effect', 'holds']
    """
    simulate = partial(simulate_claims, seed=seed)
    return run_study(worlds, truths, datasets, simulate, progress, run, known=CLAIM_WORLDS, known_truths=TRUTHS)


def simulate_claims(world: ClaimWorld, truth: str, numbers: range, seed: int = 0) -> pd.DataFrame:
    """Claim what some data sets of a world show; `shares_of` puts blocks together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.
    """
    generators = [replicate_generator(seed, *world.name.encode(), number) for number in numbers]
    values = np.stack([world.draw(truth, generator) for generator in generators])
    design = world_design(world.speech, RECIPE)
    trained = values[:, :, 0].reshape(-1, *values.shape[3:])
    tables = np.split(np.arange(len(trained)), len(values))
    rows = fitted_effects(design, trained)
    counted = []
    for number, place in enumerate(tables):
        result = claimable(rows.iloc[place], network_effects_of(values[number], design.label_of))
        counted += [(CLAIMS, *one) for one in _counted(claims_of(result).table, world, truth)]
    return block_sums(world.name, truth, numbers, counted)


def fitted_effects(design: CurveDesign, values: np.ndarray) -> pd.DataFrame:
    """Return the joint test and the effect size of series, (data set, token, point), a row a data set."""
    data = summarise(design, np.tile(design.label_of, (len(values), 1)), values)
    fits, _ = fit_all(design, data, RECIPE.autoregressive)
    both = np.append(design.names.index(LEVEL_COEFFICIENT), design.columns_of(SHAPE_TERM))
    matrix = difference_matrices(design, LABELS[1], LABELS[0]).joint
    curve, _ = differences(fits, matrix)
    covariance = matrix @ fits.covariance @ matrix.T
    curves = np.stack([differences(fits, one)[0] for one in design.columns], axis=1)
    residuals = values - curves[:, design.label_of]
    freedom = values.shape[1] - len(LABELS)
    spread = np.sqrt((residuals**2).mean(axis=2).sum(axis=1) / freedom)
    sizes = [
        effect_size(difference, its_covariance, TokenSpread(float(sd), freedom), draws=_DRAWS)
        for difference, its_covariance, sd in zip(curve, covariance, spread, strict=True)
    ]
    return pd.DataFrame({
        "joint_p_value": smooth_p_values(fits, both, fits.residual_freedom),
        "effect_size": [one.estimate for one in sizes], "effect_conf_low": [one.conf_low for one in sizes],
        "effect_conf_high": [one.conf_high for one in sizes], "conf_level": 0.95,
    })  # fmt: skip


def network_effects_of(values: np.ndarray, label_of: np.ndarray) -> pd.DataFrame:
    """Return descriptive effect sizes of (layer, network, token, point), the trained network first."""
    points = values.shape[-1]
    first = np.flatnonzero(np.diff(np.arange(points) * BINS // points, prepend=-1))
    bins = np.add.reduceat(values, first, axis=-1) / np.diff(first, append=points)
    groups = [bins[:, :, label_of == label] for label in np.unique(label_of)]
    difference = groups[0].mean(axis=2) - groups[1].mean(axis=2)
    squares = sum(((one - one.mean(axis=2, keepdims=True)) ** 2).sum(axis=2) for one in groups)
    within = np.mean(squares, axis=-1) / (len(label_of) - len(groups))
    sizes = np.sqrt((difference**2).mean(axis=-1) / within)
    layer, network = np.indices(sizes.shape)
    return pd.DataFrame({
        "layer": [f"layer{one + 1}" for one in layer.ravel()],
        "recording": [f"network{one}" for one in network.ravel()],
        "trained": network.ravel() == 0, "effect_size": sizes.ravel(),
    })  # fmt: skip


def claimable(rows: pd.DataFrame, networks: pd.DataFrame) -> LayerContrasts:
    """Return tests and effects, a row a layer, with those of networks, as the result that claims are read from."""
    layers = list(dict.fromkeys(networks["layer"]))
    table = rows.assign(layer=layers, level_1=LABELS[0], level_2=LABELS[1], model_checks=PASSED, note="")
    table = adjust_p_values(table, "layers", column="joint_p_value", adjusted="joint_p_adjusted")
    if not networks["trained"].to_numpy().all():
        table = table.merge(compare_with_untrained(networks), on="layer", how="left")
    empty = dict.fromkeys(_NOT_READ, pd.DataFrame())
    return LayerContrasts(
        contrast=Contrast.read(f"{LABELS[0]}:{LABELS[1]}"), table=table, checks=_EMPTY, networks=networks,
        model_warning="", level_units="", series={}, results={}, **empty,
    )  # fmt: skip


def _counted(table: pd.DataFrame, world: ClaimWorld, truth: str) -> Iterator[tuple[str, float]]:
    """Yield what the claims of one data set came to; where nothing is claimed to hold, nothing of what holds."""
    holds = (table["verdict"] == HOLDS).to_numpy()
    size = np.abs(world.differences(truth)) / world.token_sd
    covers = ((table["conf_low"] <= size) & (size <= table["conf_high"])).to_numpy()
    there = np.zeros(world.layers, dtype=bool)
    there[world.planted] = truth == "level"
    yield "holds", float(holds[there].all() if there.any() else holds.any())
    if there.any():
        yield "holds elsewhere", float(holds[~there].any())
    differ = size > 0
    significant = (table["p_adjusted"] < ALPHA).to_numpy()
    if not differ.all():
        yield "any that does not differ is significant", float(significant[~differ].any())
    if differ.any():
        yield "those that differ are significant", float(significant[differ].mean())
    yield "said to be learned where it was not", float(table["claim"].str.contains("learned it")[~there].any())
    yield "covers the effect", float(covers.mean())
    if holds.any():
        yield "covers the effects that hold", float(covers[holds].mean())
        yield "what holds has an interval with 0", float((table["conf_low"].to_numpy()[holds] <= 0).any())
