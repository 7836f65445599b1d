"""Codes before and after maximization in a plane, as the paper's figure has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_positive, require
from layerstats.errors import ArgumentError
from layerstats.stats.moved_codes.start_codes import MovedCodes
from layerstats.tables import PrintedResult, check_frame

PROJECTIONS = ("pca", "tsne")


@dataclass(frozen=True, eq=False, repr=False)
class CodeProjection(PrintedResult):
    """Codes in a plane.

    Attributes
    ----------
    points
        Two rows a start: ``start_name, word, speaker, misclassified, correct_after, moment`` ("before", "after"),
        ``axis_1, axis_2``.
    projection
        "pca" or "tsne".
    explained
        Of a PCA, the shares of variance of both axes, (2,); else missing.
    notes
        The settings.
    """

    main_tables = ("points",)
    points: pd.DataFrame
    projection: str
    explained: np.ndarray
    notes: tuple[str, ...]


def project_codes(
    moved: MovedCodes, projection: str = "pca", *, perplexity: float = 30.0, seed: int = 0
) -> CodeProjection:
    """Project the codes before and after together onto a plane.

    Distances in a PCA are at most those of the codes, and arrows in it are parts of the true movements. t-SNE, which
    the paper shows, keeps neighbours together and nothing else: lengths of arrows in it mean nothing.

    Parameters
    ----------
    moved
        From `read_moved_codes`.
    projection
        "pca" (by singular values), or "tsne" (scikit-learn's, begun from a PCA).
    perplexity, seed
        Of t-SNE.

    Raises
    ------
    ArgumentError
        There are fewer than three starts, or no more codes than the perplexity needs.
    MissingDependencyError
        scikit-learn is not installed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> names = {"start": [f"no_{row}" for row in range(4)], "word": "no", "speaker": [f"p{row}" for row in range(4)]}
    >>> starts = pd.DataFrame(names).assign(misclassified=False, correct_after=True)
    >>> found = project_codes(MovedCodes(starts, rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), "n0"))
    >>> found.projection, found.points[["start_name", "moment"]].iloc[0].tolist()
    ('pca', ['no_0', 'before'])
    """
    check_choice("projection", projection, PROJECTIONS)
    check_positive("perplexity", perplexity)
    count = len(moved.before)
    if count < 3:
        raise ArgumentError(f"A plane needs three starts or more, but there are {count}.")
    codes = np.concatenate([moved.before, moved.after])
    explained = np.full(2, np.nan)
    if projection == "pca":
        places, explained = _principal_axes(codes)
        notes = (f"PCA of {2 * count} codes; the axes hold {explained[0]:.1%} and {explained[1]:.1%} of the variance.",)
    else:
        if perplexity >= 2 * count:
            raise ArgumentError(
                f"The 'perplexity' parameter must be less than the number of codes, {2 * count}, but got "
                f"{perplexity!r}."
            )
        manifold = require("sklearn.manifold", "project codes by t-SNE", "projections")
        places = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes)
        notes = (f"t-SNE of {2 * count} codes, perplexity {perplexity:g}, seed {seed}.",)
    labels = moved.starts.loc[:, ["start", "word", "speaker", "misclassified", "correct_after"]]
    labels = labels.rename(columns={"start": "start_name"})
    parts = [
        labels.assign(moment=moment, axis_1=part[:, 0].astype(float), axis_2=part[:, 1].astype(float))
        for moment, part in (("before", places[:count]), ("after", places[count:]))
    ]
    return CodeProjection(check_frame(pd.concat(parts, ignore_index=True)), projection, explained, notes)


def _principal_axes(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places on the first two principal axes, (item, 2), and their shares of the variance."""
    centred = codes - codes.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    # Which way an axis points is free: the code that weighs most is positive.
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    shares = values**2 / np.sum(values**2)
    return centred @ axes.T, shares[:2]
