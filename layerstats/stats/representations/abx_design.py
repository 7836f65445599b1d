"""Which phones are A, B and X of each other: of one speaker or two, in one context or any."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete, check_count, check_seed
from layerstats.errors import DataError
from layerstats.stats.representations.labelled_vectors import as_text
from layerstats.stats.resampling.seeds import replicate_generator

CONTEXT = ("previous", "following")
_SILENCE = "silence"
_PHONES, _SPEAKERS = 0, 1


@dataclass(frozen=True)
class AbxSampling:
    """How a large set of phones is thinned, where an exact count would take too long.

    Parameters
    ----------
    phones
        At most so many phones of one label, speaker and context; all if not given.
    speakers
        X is said by at most so many other speakers for each speaker of A and B, and context; all if not given.
    seed
        Of the choice.

    Examples
    --------
    >>> AbxSampling(phones=10, speakers=5)
    AbxSampling(phones=10, speakers=5, seed=0)
    """

    phones: int | None = None
    speakers: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("phones", "speakers"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        check_seed(self.seed)


@dataclass(frozen=True, eq=False)
class AbxDesign:
    """The phones that are compared, as numbers.

    Attributes
    ----------
    rows
        (item,) which phones of the vectors they are.
    label, speaker, context
        (item,) numbers of labels, speakers and contexts.
    labels, speakers
        Their names.
    sampling
        How many other speakers say X.
    notes
        What was left out.
    """

    rows: np.ndarray
    label: np.ndarray
    speaker: np.ndarray
    context: np.ndarray
    labels: tuple[str, ...]
    speakers: tuple[str, ...]
    sampling: AbxSampling
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        phones: pd.DataFrame,
        *,
        by: str = "label",
        wanted: Collection[str] | None = None,
        context: str = "any",
        sampling: AbxSampling | None = None,
    ) -> AbxDesign:
        """Read the phones of vectors.

        Parameters
        ----------
        phones
            A row a phone: ``label, speaker``, and ``previous, following`` where contexts must agree.
        by
            The column whose values are told apart.
        wanted
            Labels that are kept; all but silence if not given.
        context
            "any", or "same": A, B and X have the same phones before and behind them.
        sampling
            How they are thinned.

        Raises
        ------
        DataError
            A column is missing or has gaps, or there are no two labels.

        Examples
        --------
        >>> phones = pd.DataFrame({"label": ["s", "t", "h#"], "speaker": "f1", "phone_class": ["a", "b", "silence"]})
        >>> AbxDesign.of(phones).labels
        ('s', 't')
        """
        needed = [by, "speaker", *(CONTEXT if context == "same" else ())]
        check_columns(phones, needed, "the vectors' coordinates along 'phone'")
        keep, notes = _kept(phones, wanted)
        rows = np.flatnonzero(keep)
        chosen = phones.iloc[rows]
        check_complete(chosen, needed, "the vectors' phones", "Leave these phones out.")
        context_code = _codes(chosen, CONTEXT)[0] if context == "same" else np.zeros(len(rows), dtype=np.int64)
        label, labels = _codes(chosen, (by,))
        speaker, speakers = _codes(chosen, ("speaker",))
        if len(labels) < 2:
            raise DataError(f"Two values of {by!r} or more are told apart, but the phones have {', '.join(labels)!r}.")
        sampling = sampling or AbxSampling()
        design = cls(rows, label, speaker, context_code, labels, speakers, sampling, notes)
        return design if sampling.phones is None else design._thinned(sampling.phones)

    def groups(self) -> list[list[np.ndarray]]:
        """Return for each speaker the items of each context in which two labels or more are said."""
        order = np.lexsort((np.arange(len(self.rows)), self.context, self.speaker))
        key = np.column_stack([self.speaker[order], self.context[order]])
        starts = np.flatnonzero(np.r_[True, (np.diff(key, axis=0) != 0).any(axis=1)])
        found: list[list[np.ndarray]] = [[] for _ in self.speakers]
        for items in np.split(order, starts[1:]):
            if len(items) > 1 and (self.label[items] != self.label[items[0]]).any():
                found[self.speaker[items[0]]].append(items)
        return found

    def items_by_context(self) -> dict[int, np.ndarray]:
        """Return the items of each context, whoever says them."""
        order = np.argsort(self.context, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(self.context[order]) != 0])
        return {int(self.context[items[0]]): items for items in np.split(order, starts[1:])}

    def others(self, items: np.ndarray, speaker: int, context: int) -> np.ndarray:
        """Return the items that other speakers say, of those chosen where there is a limit."""
        items = items[self.speaker[items] != speaker]
        most = self.sampling.speakers
        there = np.unique(self.speaker[items])
        if most is None or len(there) <= most:
            return items
        generator = replicate_generator(self.sampling.seed, _SPEAKERS, speaker, context)
        return items[np.isin(self.speaker[items], generator.choice(there, most, replace=False))]

    def _thinned(self, most: int) -> AbxDesign:
        draw = replicate_generator(self.sampling.seed, _PHONES).random(len(self.rows))
        cells = pd.DataFrame({"label": self.label, "speaker": self.speaker, "context": self.context, "draw": draw})
        rank = cells.groupby(["label", "speaker", "context"])["draw"].rank(method="first")
        keep = rank.to_numpy() <= most
        note = (
            f"{int((~keep).sum())} of {len(keep)} phones were left out at random: at most {most} of a label, speaker "
            "and context are compared."
        )
        notes = self.notes if keep.all() else (*self.notes, note)
        items = {name: getattr(self, name)[keep] for name in ("rows", "label", "speaker", "context")}
        return replace(self, **items, notes=notes)


def _kept(phones: pd.DataFrame, wanted: Collection[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    if wanted is not None:
        check_columns(phones, ["label"], "the vectors' coordinates along 'phone'")
        labels = phones["label"].astype(str)
        missing = sorted(set(wanted) - set(labels))
        if len(missing) == len(set(wanted)):
            raise DataError(f"None of the phones {', '.join(missing)} is among the vectors' labels.")
        note = f"Not among the vectors' phones: {', '.join(missing)}."
        return labels.isin(list(wanted)).to_numpy(), (note,) if missing else ()
    if "phone_class" not in phones:
        return np.ones(len(phones), dtype=bool), ()
    silent = (phones["phone_class"].astype(str) == _SILENCE).to_numpy()
    note = f"{int(silent.sum())} stretches of silence were left out; name them in 'phones' to have them."
    return ~silent, (note,) if silent.any() else ()


def _codes(phones: pd.DataFrame, columns: Collection[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the number of each row's value, (item,), and the values in their order."""
    # What no text of a label holds keeps "a", "bc" and "ab", "c" apart.
    texts = [as_text(pd.Series(phones[name]), name) for name in columns]
    values = np.array(["\0".join(row) for row in zip(*texts, strict=True)], dtype=object)
    codes, names = pd.factorize(values, sort=True)
    return codes.astype(np.int64), tuple(map(str, names))
