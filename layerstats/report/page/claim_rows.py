"""What all parts of a page claim, as rows in words, numbers and small pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from layerstats.report.claimed import Claimed, Row
from layerstats.report.page.sections import FileLink, Section
from layerstats.report.page.strip import MOST_LANES, Axis, Point, axis_of, draw_choices, draw_effect
from layerstats.tables import format_value
from layerstats.tables.format import MINUS

# A part shows as many claims; further ones are folded away.
FIRST_CLAIMS = 12
VERDICTS = {
    "holds": ("hold", "holds"),
    "fails a check": ("fail a check", "fails"),
    "not shown": ("lack evidence", "not"),
}


@dataclass(frozen=True)
class Choice:
    """A row of what another choice gives."""

    choice: str
    option: str
    reported: bool
    estimate: str
    interval: str
    p_value: str
    note: str


@dataclass(frozen=True)
class ClaimRow:
    """A claim as the page shows it; `kind` is the class of its verdict, `links` lead to tables and figures."""

    identifier: str
    claim: str
    verdict: str
    kind: str
    failed: tuple[str, ...]
    effect: str
    estimate: str
    interval: str
    picture: Markup
    p_value: float
    p_adjusted: str
    family: str
    null: str
    null_range: str
    null_p: str
    choices: tuple[Choice, ...]
    choices_picture: Markup
    choices_said: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClaimGroup:
    """The claims of one part of the page."""

    title: str
    identifier: str
    first: tuple[ClaimRow, ...]
    further: tuple[ClaimRow, ...]
    said: str
    notes: tuple[str, ...]
    links: tuple[FileLink, ...]

    @property
    def rows(self) -> tuple[ClaimRow, ...]:
        """All claims of the part."""
        return self.first + self.further


def claim_group(claims: Claimed, part: Section) -> ClaimGroup:
    """Return the claims of a part of the page.

    Parameters
    ----------
    claims
        At least one.
    part
        Of the page, which has the tables and figures that claims rest on.
    """
    axes = _axes(claims)
    places = part.places
    # What holds answers first; within a verdict claims are in the order of their analysis.
    table = sorted(claims.table, key=lambda row: list(VERDICTS).index(str(row["verdict"])))
    rows = [
        _row(row, f"claim-{part.identifier}-{place}", _choices_of(claims, row), axes[str(row["effect"])], places)
        for place, row in enumerate(table, start=1)
    ]
    return ClaimGroup(
        part.title,
        part.identifier,
        tuple(rows[:FIRST_CLAIMS]),
        tuple(rows[FIRST_CLAIMS:]),
        counted([str(row["verdict"]) for row in claims.table]),
        claims.notes,
        part.claim_links,
    )


def counted(verdicts: Sequence[str]) -> str:
    """Say how many claims hold, fail a check and lack evidence: on a page "not shown" could mean left out.

    Examples
    --------
    >>> counted(["holds", "not shown", "holds"]), counted(["fails a check"])
    ('2 hold, 1 lacks evidence', '1 fails a check')
    """
    singular = {"not shown": "lacks evidence"}
    numbers = [(verdicts.count(verdict), verdict, several) for verdict, (several, _) in VERDICTS.items()]
    said = [
        f"{number} {singular.get(one, one) if number == 1 else several}" for number, one, several in numbers if number
    ]
    return ", ".join(said)


def _axes(claims: Claimed) -> dict[str, Axis]:
    """Return an axis for each kind of effect, which its claims share."""
    numbers: dict[str, list[float]] = {}
    for row in claims.table:
        others = [choice[name] for choice in _choices_of(claims, row) for name in ("estimate", "conf_low", "conf_high")]
        own = [row[name] for name in ("estimate", "conf_low", "conf_high", "null_low", "null_high")]
        numbers.setdefault(str(row["effect"]), []).extend([*own, *others])
    return {effect: axis_of(values) for effect, values in numbers.items()}


def _choices_of(claims: Claimed, row: Row) -> list[Row]:
    return [choice for choice in claims.sensitivity if choice["claim_key"] == row["claim_key"]]


def _row(
    row: Row, identifier: str, choices: Sequence[Row], axis: Axis, sources: Mapping[str, tuple[str, str]]
) -> ClaimRow:
    names = [name.strip() for name in str(row["sources"]).split(",")]
    null_range = between(row["null_low"], row["null_high"])
    estimate, interval = number(row["estimate"]), _interval(row)
    verdict = str(row["verdict"])
    null = f"{row['null']}: {null_range}" if null_range else "no null"
    said = f"{row['effect']}: {estimate} {interval}; {null}".strip()
    point = Point(row["estimate"], row["conf_low"], row["conf_high"], chosen=verdict == "holds")
    shown = tuple(map(_choice, choices))
    return ClaimRow(
        identifier=identifier,
        claim=str(row["claim"]),
        verdict=verdict,
        kind=VERDICTS[verdict][1],
        failed=tuple(part.strip() for part in str(row["failed_checks"]).split(";") if part.strip()),
        effect=_measured(row),
        estimate=estimate,
        interval=interval,
        picture=draw_effect(point, (row["null_low"], row["null_high"]), axis, said),
        p_value=row["p_adjusted"],
        p_adjusted=format_value(row["p_adjusted"], "p"),
        family=str(row["family"]),
        null=str(row["null"]),
        null_range=null_range,
        null_p="" if math.isnan(row["null_p_adjusted"]) else format_value(row["null_p_adjusted"], "p"),
        choices=shown,
        choices_picture=draw_choices(_points(choices), axis, _listed(shown)) if shown else Markup(),
        choices_said=_spread(choices),
        links=tuple(sources[name] for name in names if name in sources),
    )


def _choice(row: Row) -> Choice:
    return Choice(
        str(row["choice"]),
        str(row["option"]),
        bool(row["reported"]),
        number(row["estimate"]),
        _interval(row),
        format_value(row["p_value"], "p"),
        str(row["note"]),
    )


def _points(choices: Sequence[Row]) -> list[Point]:
    """Return the reported choice once, then what was computed of others: a lane each while there is room."""
    others = [row for row in choices if not row["reported"] and not math.isnan(row["estimate"])]
    shown = [*[row for row in choices if row["reported"]][:1], *others]
    kinds = {name: lane for lane, name in enumerate(dict.fromkeys(str(row["choice"]) for row in others), start=1)}
    own = len(shown) <= MOST_LANES
    return [
        Point(
            row["estimate"],
            row["conf_low"],
            row["conf_high"],
            lane if own else 0 if row["reported"] else kinds[str(row["choice"])],
            bool(row["reported"]),
        )
        for lane, row in enumerate(shown)
    ]


def _listed(choices: Sequence[Choice]) -> str:
    """Say every choice with its number, for those who do not see the strip."""
    said = []
    for row in choices:
        told = f"{row.estimate} {row.interval}".strip() if row.estimate != "not computed" else row.estimate
        said.append(f"{row.choice}, {row.option}{' (reported)' if row.reported else ''}: {told}")
    return "; ".join(said)


def _spread(choices: Sequence[Row]) -> str:
    """Say from where to where estimates go under other choices than the reported ones, and how large p gets."""
    others = [row for row in choices if not row["reported"]]
    known = [row["estimate"] for row in others if not math.isnan(row["estimate"])]
    if not others:
        return ""
    missing = len(others) - len(known)
    counted_choices = f"{len(others)} other choice{'s' * (len(others) != 1)}"
    if not known:
        return f"{counted_choices}: not computed"
    low, high = number(min(known)), number(max(known))
    spread = low if low == high else f"{low} to {high}"
    p_values = [row["p_value"] for row in others if not math.isnan(row["p_value"])]
    largest = format_value(max(p_values, default=math.nan), "p")
    largest = f"; p {largest}" if largest.startswith("<") else f"; p at most {largest}" if p_values else ""
    return f"{counted_choices}: {spread}{largest}{f'; {missing} not computed' if missing else ''}"


def _interval(row: Row) -> str:
    ends = (row["conf_low"], row["conf_high"])
    # The interval does not break over lines.
    return "" if any(map(math.isnan, ends)) else f"[{number(ends[0])},\N{NO-BREAK SPACE}{number(ends[1])}]"


def _measured(row: Row) -> str:
    if math.isnan(row["conf_level"]) or not _interval(row):
        return str(row["effect"])
    return f"{row['effect']}; {100 * row['conf_level']:g}\N{NO-BREAK SPACE}% interval"


def between(low: float, high: float) -> str:
    """Write two ends, or nothing where one is not known.

    Examples
    --------
    >>> between(-0.5, 1.0), between(float("nan"), 1.0)
    ('−0.50 to 1.00', '')
    """
    return "" if math.isnan(low) or math.isnan(high) else f"{number(low)} to {number(high)}"


def number(value: float) -> str:
    """Write a number with two or three digits that count.

    Examples
    --------
    >>> number(0.8249), number(-12.31), number(0.0004), number(float("inf")), number(float("nan"))
    ('0.82', '−12.3', '0.0004', '∞', 'not computed')
    """
    if math.isnan(value):
        return "not computed"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    text = f"{value:.{digits}f}" if size >= 0.01 or size == 0 else f"{value:.1g}"
    return text.replace("-", MINUS)
