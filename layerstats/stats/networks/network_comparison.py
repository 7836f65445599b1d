"""What does a way of learning add, at which layer? Effect sizes over kinds of network, seeds and layers."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.networks.collect import Network, list_networks
from layerstats.stats.networks.layouts import list_contrasts
from layerstats.stats.networks.means import difference_of_networks, mean_of_networks, variance_between_networks
from layerstats.stats.networks.measure import Measured, measure
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame


@dataclass(frozen=True, eq=False, repr=False)
class NetworkComparison(PrintedResult):
    """Effect sizes of contrasts in several kinds of network, each trained from several seeds.

    Attributes
    ----------
    kinds
        The mean of each kind: ``contrast, layer, network, networks, effect_size, std_error, df, effect_conf_low,
        effect_conf_high, conf_level, seed_sd, seed_std_error, speaker_std_error``.
    comparisons
        Differences between kinds, always ``level_1 - level_2``: ``contrast, layer, level_1, level_2, diff, std_error,
        df, statistic, p_value, conf_low, conf_high, conf_level`` and the adjusted p-values. The family is one pair of
        kinds over all contrasts and layers.
    networks
        Every single network: ``contrast, layer, network, network_seed, effect_size, effect_std_error``, the standard
        error being that over speakers.
    series
        What was compared, and what could not be: ``contrast, layer, tokens, speakers, dropped, note``.
    """

    main_tables = ("comparisons",)
    kinds: pd.DataFrame
    comparisons: pd.DataFrame
    networks: pd.DataFrame
    series: pd.DataFrame


def compare_networks(
    stores: Sequence[Experiment | str | os.PathLike[str]],
    *,
    words: Sequence[Sequence[str]] | None = None,
    phones: Sequence[str] = (),
    contrasts: Sequence[str | Contrast] = (),
    layers: Collection[str] | None = None,
    variant: str = "word",
    quantity: str = "activation",
    kinds: Sequence[str] | None = None,
    adjust: AdjustMethod = "holm",
    conf_level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> NetworkComparison:
    """Compare kinds of network in how far apart they keep words and phones, layer by layer.

    Each network is measured by the effect size of the contrast from plain means (see `effect_sizes`), which needs no
    model and so costs milliseconds. Two things vary: the seeds of the networks and the speakers who were heard, the
    same ones by every network. Speakers are resampled, for all networks together, which gives the covariance of their
    sampling errors; then, for each contrast and layer, a random-effects model over networks is fitted:
    ``effect ~ kind + (1 | network)`` with that covariance known and a variance between networks for each kind. Its
    estimates are plain means; standard errors hold for other seeds and other speakers, and t distributions with
    Satterthwaite's degrees of freedom allow for the few of both. Parts of one training (Q-network and discriminator)
    are compared in pairs. Simulated with five networks and 16 speakers, differences are covered 94 to 97 % of the time
    and tests reject 4 to 5 % of the time where nothing differs (a t test over seeds alone: 13 to 35 %); means of kinds
    are covered 95 % of the time, but where the effect is below half a standard deviation only 89 to 92 %.

    Parameters
    ----------
    stores
        One store a network, recorded on the same tokens, with the attributes `network_kind` and `network_seed` as
        ``layerstats record`` writes them; for untrained networks see `list_networks`.
    words
        Sets of words, for instance ``[("ask", "wash")]``; the effect size of a set of three or more is over all its
        pairs. By default one set of all words, unless `contrasts` are given; ``()`` for none.
    phones
        Contrasts of phones, ``["s:sh", "p,t,k:b,d,g"]``.
    contrasts
        Contrasts of any column, ``["sex=F:M", "phones.position=initial:final"]``, see `Contrast.read`.
    layers
        All by default.
    variant
        "word": only the samples inside the word, so that zero padding and duration make no effect; "padded": all.
    quantity
        What the stores hold of the networks: "activation", "relevance", "gradient", ... Views of one recording say it
        themselves.
    kinds
        Kinds to compare and their order; by default all, in the order of the stores, untrained last.
    adjust
        How p-values are adjusted, for each pair of kinds over contrasts and layers.
    conf_level, draws, seed
        Of the intervals, and of the bootstrap over speakers.

    Returns
    -------
    NetworkComparison

    Raises
    ------
    DataError
        A kind has one network only, tokens differ between stores, or a store does not say what network it is of.
    ArgumentError
        A word, phone, layer or kind does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import store_arrays
    >>> rng = np.random.default_rng(0)
    >>> tokens = pd.DataFrame({"token": [f"t{row}" for row in range(8)], "word": ["ask", "wash"] * 4, "split": "test"})
    >>> tokens = tokens.assign(speaker=[f"p{row // 2}" for row in range(8)], onset_s=0.0, duration_s=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stores = []
    ...     for kind, seed in [("q", 0), ("q", 1), ("words", 0), ("words", 1)]:
    ...         about = {"network_kind": kind, "network_seed": seed, "quantity": "activation"}
    ...         own = {"conv1": rng.normal(size=(8, 10))}
    ...         times = {"conv1": np.arange(10) * 0.05}
    ...         stores.append(store_arrays(f"{folder}/{kind}{seed}.zarr", tokens, own, time_s=times, attrs=about))
    ...     found = compare_networks(stores, draws=99)
    >>> found.comparisons[["layer", "level_1", "level_2"]].values.tolist()
    [['conv1', 'q', 'words']]
    """
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must lie between 0 and 1, but got {conf_level!r} instead.")
    check_positive("draws", draws)
    networks = _chosen(list_networks(stores, quantity), kinds)
    names = _layers(networks, layers)
    wanted = list_contrasts(networks[0].view, words, phones, variant, contrasts)
    measured, series = measure(networks, wanted, names, draws, seed)
    if not measured:
        raise DataError(f"No contrast could be measured at any layer: {series['note'].iloc[0]}.")
    members = {kind: [i for i, one in enumerate(networks) if one.kind == kind] for kind in _kinds(networks)}
    return NetworkComparison(
        kinds=_kind_table(measured, members, conf_level),
        comparisons=_comparison_table(measured, networks, members, conf_level, adjust),
        networks=_network_table(measured, networks),
        series=series,
    )


def _kinds(networks: Sequence[Network]) -> list[str]:
    return list(dict.fromkeys(one.kind for one in networks))


def _chosen(networks: list[Network], kinds: Sequence[str] | None) -> list[Network]:
    """Return the networks of the kinds that are compared, in their order."""
    known = _kinds(networks)
    wanted = known if kinds is None else list(kinds)
    for kind in wanted:
        check_choice("kinds", kind, known)
    chosen = [one for kind in wanted for one in sorted(networks, key=lambda one: one.seed) if one.kind == kind]
    for kind in wanted:
        count = sum(one.kind == kind for one in chosen)
        if count < 2:
            raise DataError(
                f"There is one network only of the kind {kind!r}, so that it cannot be told from its seed. Train it "
                "from two seeds or more (five are good), or leave it out: name the others in 'kinds' (--kinds)."
            )
    return chosen


def _layers(networks: Sequence[Network], layers: Collection[str] | None) -> list[str]:
    """Return the layers to measure; each is in every network, at the same times."""
    first = networks[0].view
    names = list(first.layers) if layers is None else list(layers)
    for name in names:
        check_choice("layers", name, first.layers)
        for one in networks:
            check_choice(f"layers of {one.kind} {one.seed}", name, one.view.layers)
            times, own = first.times(name), one.view.times(name)
            if len(times) != len(own) or not np.allclose(times, own):
                raise DataError(
                    f"Layer {name!r} of {one.kind} {one.seed} has other times than that of the first store."
                )
    return names


def _kind_table(
    measured: Mapping[tuple[str, str], Measured], members: Mapping[str, list[int]], conf_level: float
) -> pd.DataFrame:
    rows = []
    for (contrast, layer), one in measured.items():
        for kind, who in members.items():
            covariance = one.covariance[np.ix_(who, who)]
            estimate = mean_of_networks(one.effects[who], covariance, one.speakers)
            low, high = estimate.interval(conf_level)
            rows.append(
                {
                    "contrast": contrast,
                    "layer": layer,
                    "network": kind,
                    "networks": len(who),
                    "effect_size": estimate.value,
                    "std_error": estimate.std_error,
                    "df": estimate.df,
                    # An effect size is never below zero.
                    "effect_conf_low": max(0.0, low),
                    "effect_conf_high": high,
                    "conf_level": conf_level,
                    "seed_sd": variance_between_networks(one.effects[who], covariance) ** 0.5,
                    "seed_std_error": estimate.seed_std_error,
                    "speaker_std_error": estimate.speaker_std_error,
                }
            )
    return check_frame(pd.DataFrame(rows))


def _comparison_table(
    measured: Mapping[tuple[str, str], Measured],
    networks: Sequence[Network],
    members: Mapping[str, list[int]],
    conf_level: float,
    adjust: AdjustMethod,
) -> pd.DataFrame:
    rows = []
    for first, second in combinations(members, 2):
        paired = _paired(networks, members, first, second)
        who = [*members[first], *members[second]]
        for (contrast, layer), one in measured.items():
            estimate = difference_of_networks(
                one.effects[members[first]],
                one.effects[members[second]],
                one.covariance[np.ix_(who, who)],
                one.speakers,
                paired=paired,
            )
            low, high = estimate.interval(conf_level)
            statistic = estimate.value / estimate.std_error if estimate.std_error > 0 else np.nan
            rows.append(
                {
                    "contrast": contrast,
                    "layer": layer,
                    "level_1": first,
                    "level_2": second,
                    "diff": estimate.value,
                    "std_error": estimate.std_error,
                    "df": estimate.df,
                    "statistic": statistic,
                    "p_value": estimate.p_value,
                    "conf_low": low,
                    "conf_high": high,
                    "conf_level": conf_level,
                    "family": f"{first} - {second}, over contrasts and layers",
                }
            )
    columns = ["contrast", "layer", "level_1", "level_2", "diff", "std_error", "df", "statistic", "p_value"]
    columns += ["conf_low", "conf_high", "conf_level", "family"]
    table = pd.DataFrame(rows, columns=columns)
    return check_frame(adjust_p_values(table, table["family"].tolist(), method=adjust))


def _paired(networks: Sequence[Network], members: Mapping[str, list[int]], first: str, second: str) -> bool:
    """Return whether two kinds, both sorted by seed, are parts of the same trainings."""
    runs = [[networks[index].run for index in members[kind]] for kind in (first, second)]
    shared = set(runs[0]) & set(runs[1])
    if shared and runs[0] != runs[1]:
        alone = sorted(set(runs[0]) ^ set(runs[1]))[0]
        raise DataError(
            f"{first!r} and {second!r} share some trainings and not others: seed {alone[1]} of {alone[0]!r} has one "
            "of them only. Record both parts of every training, or leave one kind out with the 'kinds' parameter."
        )
    return bool(shared)


def _network_table(measured: Mapping[tuple[str, str], Measured], networks: Sequence[Network]) -> pd.DataFrame:
    rows = [
        {
            "contrast": contrast,
            "layer": layer,
            "network": network.kind,
            "network_seed": network.seed,
            "effect_size": effect,
            "effect_std_error": np.sqrt(variance),
        }
        for (contrast, layer), one in measured.items()
        for network, effect, variance in zip(networks, one.effects, np.diag(one.covariance), strict=True)
    ]
    return check_frame(pd.DataFrame(rows))
