"""A linear probe that is never scored on speakers it has learned from, nor tuned on those it is scored on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerstats.checks import check_count, check_positive, require
from layerstats.errors import ArgumentError

# Inverse strengths of the ridge penalty, from strong to weak.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_PURPOSE = "probe vectors with logistic regression"
EXTRA = "representations"


@dataclass(frozen=True)
class ProbeOptions:
    """How a linear probe is fitted and chosen.

    Parameters
    ----------
    folds
        Outer folds, over speakers: each is predicted by a probe that learned from the others. No more than there are
        speakers are made.
    inner_folds
        Folds of the learning speakers, by which the penalty is chosen.
    inverse_penalties
        Values of scikit-learn's ``C`` to choose from; small ones mean a strong penalty. One value: nothing is chosen.
    balanced
        Whether every level counts the same while learning (weights inverse to its number of phones).
    most_iterations
        Of L-BFGS.
    tolerance
        At which it stops.

    Examples
    --------
    >>> ProbeOptions(folds=10).balanced
    True
    """

    folds: int = 5
    inner_folds: int = 3
    inverse_penalties: tuple[float, ...] = STRENGTHS
    balanced: bool = True
    most_iterations: int = 1000
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("folds", "inner_folds"):
            value = getattr(self, name)
            check_count(name, value)
            if value < 2:
                raise ArgumentError(f"The {name!r} parameter must be 2 or more, but got {value!r} instead.")
        check_count("most_iterations", self.most_iterations)
        check_positive("tolerance", self.tolerance)
        if not self.inverse_penalties:
            raise ArgumentError("The 'inverse_penalties' parameter must name at least one value, but is empty.")
        for value in self.inverse_penalties:
            check_positive("inverse_penalties", value)
        object.__setattr__(self, "inverse_penalties", tuple(sorted(map(float, self.inverse_penalties))))


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What probes said of the phones of speakers whom they had not learned from.

    Attributes
    ----------
    predicted
        (phone,) codes of levels.
    chosen
        (fold,) the inverse penalty of each outer fold.
    unfinished
        Fits that had not converged.
    """

    predicted: np.ndarray
    chosen: np.ndarray
    unfinished: int


def speaker_folds(speakers: np.ndarray, folds: int) -> np.ndarray:
    """Deal speakers into folds of about as many phones each (scikit-learn's ``GroupKFold``), (phone,) fold numbers.

    Examples
    --------
    >>> speaker_folds(np.array([0, 0, 0, 1, 1, 2]), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    selection = require("sklearn.model_selection", _PURPOSE, EXTRA)
    folds = min(folds, len(np.unique(speakers)))
    result = np.zeros(len(speakers), dtype=int)
    for number, (_, held) in enumerate(selection.GroupKFold(folds).split(speakers, groups=speakers)):
        result[held] = number
    return result


def predict_held_out(
    values: np.ndarray, codes: np.ndarray, speakers: np.ndarray, options: ProbeOptions | None = None
) -> HeldOut:
    """Predict the level of every phone by a multinomial logistic regression of other speakers' phones.

    Channels are standardised with means and standard deviations of the phones learned from, in the inner folds too. The
    penalty of a fold is the one with the largest balanced accuracy over its inner folds, the strongest of equals.

    Parameters
    ----------
    values
        (phone, channel)
    codes, speakers
        (phone,) whole numbers from 0 on.
    """
    options = ProbeOptions() if options is None else options
    outer = speaker_folds(speakers, options.folds)
    predicted = np.full(len(codes), -1)
    chosen, unfinished = [], 0
    for fold in range(outer.max() + 1):
        learn, held = outer != fold, outer == fold
        penalty, failed = _choose(values[learn], codes[learn], speakers[learn], options)
        (answers,), more = _fit_path(values[learn], codes[learn], values[held], (penalty,), options)
        predicted[held] = answers
        chosen.append(penalty)
        unfinished += failed + more
    return HeldOut(predicted, np.array(chosen), unfinished)


def _choose(values: np.ndarray, codes: np.ndarray, speakers: np.ndarray, options: ProbeOptions) -> tuple[float, int]:
    """Return the inverse penalty that predicts held-out speakers best, and how many fits had not converged."""
    candidates = options.inverse_penalties
    if len(candidates) == 1:
        return candidates[0], 0
    inner = speaker_folds(speakers, options.inner_folds)
    answers = np.full((len(candidates), len(codes)), -1)
    unfinished = 0
    for fold in range(inner.max() + 1):
        learn, held = inner != fold, inner == fold
        answers[:, held], failed = _fit_path(values[learn], codes[learn], values[held], candidates, options)
        unfinished += failed
    totals = np.bincount(codes)
    there = totals > 0
    hits = [np.bincount(codes, weights=own == codes, minlength=len(totals)) for own in answers]
    scores = [float(np.mean(own[there] / totals[there])) for own in hits]
    return candidates[int(np.argmax(scores))], unfinished


def _fit_path(
    learned: np.ndarray, codes: np.ndarray, held: np.ndarray, penalties: Sequence[float], options: ProbeOptions
) -> tuple[np.ndarray, int]:
    """Return what a probe of each inverse penalty says of the phones held out, (penalty, phone)."""
    if not codes.size or (codes == codes[0]).all():
        only = codes[0] if codes.size else -1
        return np.full((len(penalties), len(held)), only), 0
    preprocessing = require("sklearn.preprocessing", _PURPOSE, EXTRA)
    linear = require("sklearn.linear_model", _PURPOSE, EXTRA)
    exceptions = require("sklearn.exceptions", _PURPOSE, EXTRA)
    scaler = preprocessing.StandardScaler().fit(learned)
    known, new = scaler.transform(learned), scaler.transform(held)
    # Each starts from the stronger one's weights: fewer steps, the same optimum.
    model = linear.LogisticRegression(
        class_weight="balanced" if options.balanced else None,
        max_iter=options.most_iterations,
        tol=options.tolerance,
        warm_start=True,
    )
    answers, unfinished = [], 0
    with warnings.catch_warnings():
        # Counted, and said in the notes of the result.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        for penalty in penalties:
            model.set_params(C=penalty).fit(known, codes)
            answers.append(model.predict(new))
            unfinished += int(np.max(model.n_iter_) >= options.most_iterations)
    return np.stack(answers), unfinished
