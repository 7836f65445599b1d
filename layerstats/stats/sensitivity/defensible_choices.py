"""Which other options a reported analysis has, one choice at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from layerstats.checks import check_choice
from layerstats.stats.contrasts.contrast import PHONE
from layerstats.stats.contrasts.untrained import IDENTITY, agree
from layerstats.stats.sensitivity.contrast_analysis import ContrastAnalysis
from layerstats.store import Experiment

# As many bins of a series as one could want of ten basis functions; the default of the package stands between them.
_SAMPLES = (16, 32, 48)
_SUMMARIES = {"mean": "mean over channels", "root_mean_square": "root mean square over channels"}


class Option(NamedTuple):
    """One option of a choice: the analysis that takes it, or why there is none."""

    name: str
    analysis: ContrastAnalysis | None
    note: str = ""


def options_of(choice: str, reported: ContrastAnalysis, experiment: Experiment) -> list[Option]:
    """Return the options of a choice, the reported one first; none where the choice does not apply."""
    check_choice("choices", choice, CHOICES)
    found = CHOICES[choice](reported, experiment)
    return sorted(found, key=lambda option: option.analysis != reported)


def _random_structure(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    contrast, items = reported.contrast, reported.random_items
    others = "".join(f" and {item}s" for item in items)
    if reported.speakers == "none":
        return [Option("none", reported), Option("smooths of speakers", replace(reported, speakers="auto"))]
    smooths, intercepts = (
        f"smooths of speakers{others}",
        f"intercepts of speakers{', smooths of' + others[4:] if others else ''}",
    )
    options = [
        Option(smooths, replace(reported, speakers="auto")),
        Option(intercepts, replace(reported, speakers="intercepts")),
    ]
    if items:
        return [*options, Option("smooths of speakers", replace(reported, items=()))]
    # Phones are of words, whose other phones they lie beside; words that are compared are no sample of words.
    of_words = contrast.unit == "phone" or contrast.column not in (PHONE, "word")
    return (
        [*options, Option("smooths of speakers and words", replace(reported, items=("word",)))] if of_words else options
    )


def _series(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    contrast = reported.contrast
    if contrast.unit == "phone":
        return []
    names = {"padded": "padded clip", "duration": "padded clip", "word": "word alone"}
    other = "padded" if contrast.variant == "word" else "word"
    return [
        Option(names[contrast.variant], reported),
        Option(names[other], replace(reported, contrast=replace(contrast, variant=other))),
    ]


def _duration(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    contrast, without, within = reported.contrast, "not in the model", "a covariate"
    if contrast.unit == "phone":
        return [Option(without, reported), Option(within, None, "phones are normalised in time, and no model has more")]
    if contrast.variant == "word":
        return [Option(without, reported), Option(within, None, "the word alone is normalised in time")]
    return [
        Option(name, replace(reported, contrast=replace(contrast, variant=variant)))
        for name, variant in ((without, "padded"), (within, "duration"))
    ]


def _number_of_samples(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    numbers = dict.fromkeys([reported.samples, *_SAMPLES])
    return [Option("all" if one is None else str(one), replace(reported, samples=one)) for one in numbers]


def _autocorrelation(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    options = {
        "auto": "AR(1) where it fits better",
        "residuals": "AR(1) of the residuals",
        None: "independent residuals",
    }
    options = {reported.rho: f"rho = {reported.rho}"} | options
    return [Option(name, replace(reported, rho=rho)) for rho, name in options.items()]


def _unit(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    name = "phones" if reported.contrast.unit == "phone" else "tokens"
    means = "means of speakers"
    if reported.contrast.variant == "duration":
        return [Option(name, reported), Option(means, None, "means of speakers have no one duration")]
    return [Option(name, replace(reported, unit="tokens")), Option(means, replace(reported, unit="speakers"))]


def _summary(reported: ContrastAnalysis, experiment: Experiment) -> list[Option]:
    own = experiment.summary
    if own not in _SUMMARIES:
        return []
    other = next(name for name in _SUMMARIES if name != own)
    twin = _summarised(experiment, other)
    beside = (
        f"it stands in the same recording, of which the {_SUMMARIES[own]} is read: record it under a name of its own"
    )
    note = beside if other in experiment.variables else "it was not recorded: layerstats record --summary"
    missing = Option(_SUMMARIES[other], None, note)
    found = Option(_SUMMARIES[other], replace(reported, recording=twin)) if twin else missing
    return [Option(_SUMMARIES[own], reported), found]


def _summarised(experiment: Experiment, summary: str) -> str | None:
    """Return the recording of the same network with another summary of its channels, or None."""
    recordings = experiment.recordings
    alike = recordings["complete"].astype(bool) & (recordings["quantity"] == experiment.quantity)
    for name in recordings.loc[alike & recordings["trained"].astype(bool), "recording"].astype(str):
        if name == experiment.name:
            continue
        other = experiment.recording(name)
        if (
            other.summary == summary
            and set(experiment.layers) <= set(other.layers)
            and agree(experiment, other, IDENTITY)
        ):
            return name
    return None


def _trimmed(reported: ContrastAnalysis, experiment: Experiment) -> list[Option]:
    if "trimmed" not in experiment.tokens or not bool(experiment.tokens["trimmed"].astype(bool).any()):
        return []
    return [Option("kept", replace(reported, trimmed=True)), Option("left out", replace(reported, trimmed=False))]


def _test(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    own, exchanged = Option("of the model", replace(reported, test="model")), "labels of whole speakers exchanged"
    if reported.speakers == "none":
        return [own, Option(exchanged, None, "the model knows no speakers")]
    if reported.contrast.variant == "duration":
        return [own, Option(exchanged, None, "models with a duration are not permuted")]
    if reported.random_items:
        items = " and ".join(f"{item}s" for item in reported.random_items)
        return [own, Option(exchanged, None, f"models with smooths of {items} are not permuted")]
    return [own, Option(exchanged, replace(reported, test="exchange"))]


def _engine(reported: ContrastAnalysis, _: Experiment) -> list[Option]:
    own = "structured" if reported.engine == "auto" else reported.engine
    other = "structured" if own == "mgcv" else "mgcv"
    return [Option(own, reported), Option(other, replace(reported, engine=other))]


CHOICES: Mapping[str, Callable[[ContrastAnalysis, Experiment], Collection[Option]]] = {
    "random structure": _random_structure,
    "series": _series,
    "duration": _duration,
    "samples": _number_of_samples,
    "autocorrelation": _autocorrelation,
    "unit": _unit,
    "summary": _summary,
    "trimmed tokens": _trimmed,
    "test": _test,
    "engine": _engine,
}
