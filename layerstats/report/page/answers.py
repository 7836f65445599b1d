"""What holds, across the parts of a page: a short list that stands above all claims."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layerstats.report.page.claim_rows import ClaimGroup, ClaimRow

# So many rows are read at a glance.
MOST_ANSWERS = 10


@dataclass(frozen=True)
class Counted:
    """How many claims of a part have a verdict."""

    group: ClaimGroup
    count: int


@dataclass(frozen=True)
class ShortList:
    """What stands above the claims of several parts.

    Attributes
    ----------
    answers
        A claim that holds and its part, at most `MOST_ANSWERS`.
    more, failing, not_shown
        Of which parts how many further claims hold, how many fail a check, and how many are not shown.
    notes
        What several parts say of their claims, which is said once, and their titles.
    """

    answers: tuple[tuple[ClaimRow, ClaimGroup], ...]
    more: tuple[Counted, ...]
    failing: tuple[Counted, ...]
    not_shown: tuple[Counted, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def said(self) -> frozenset[str]:
        """The notes that parts need not repeat."""
        return frozenset(note for note, _ in self.notes)


def short_list(groups: Sequence[ClaimGroup]) -> ShortList | None:
    """Return the clearest answer of each part, in the order of the page; none where one part claims all.

    Of one part the clearest claim is that with the smallest adjusted p-value among those that hold, of equal ones the
    first. Sizes of effects are not compared, since parts measure different things. What is left is counted by part.

    Parameters
    ----------
    groups
        The claims of each part.
    """
    if len(groups) < 2:
        return None
    holding = [(group, [row for row in group.rows if row.verdict == "holds"]) for group in groups]
    clearest = [(min(rows, key=_surest), group) for group, rows in holding if rows]
    answers = clearest[:MOST_ANSWERS]
    told = {group.identifier for _, group in answers}
    parts: dict[str, list[str]] = {}
    for group in groups:
        for note in group.notes:
            parts.setdefault(note, []).append(group.title)
    return ShortList(
        tuple(answers),
        _counted((group, len(rows) - (group.identifier in told)) for group, rows in holding),
        *(
            _counted((group, sum(row.verdict == verdict for row in group.rows)) for group in groups)
            for verdict in ("fails a check", "not shown")
        ),
        notes=tuple((note, ", ".join(titles)) for note, titles in parts.items() if len(titles) > 1),
    )


def _surest(row: ClaimRow) -> float:
    return math.inf if math.isnan(row.p_value) else row.p_value


def _counted(counts: Iterable[tuple[ClaimGroup, int]]) -> tuple[Counted, ...]:
    return tuple(Counted(group, count) for group, count in counts if count)
