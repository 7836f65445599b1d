"""How often every test errs, in one table, read from the tables of the calibration studies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sphinx.application import Sphinx
from written_pages import write_page

LARGE = 0.075
HEAD = """# How often tests err, in one table

Read from the tables of the studies with known truth. **Type I error** is how often a test at .05 finds a difference
where there is none, **coverage** how often an interval of 95 % holds the true value, **power** how often a test finds
the difference that the study drew (how large, its page says). Each is the smallest to the largest share over the
worlds of the study, and the world is named in which the test errs most, or where there is no test, the interval
covers least. In bold: errors above .075. What naive analyses of the
same data do instead is on the pages.

"""


@dataclass(frozen=True)
class Row:
    """What is calibrated: in which table it stands, and how it is called there."""

    question: str
    table: str
    recipe: str
    page: str
    test: str | None = None
    interval: str | None = None
    # Whether the difference that the study drew is one that this test asks for.
    drawn: bool = True


_FULL = "fs token + fs speaker + fs speaker-label"
_CONTRAST, _LISTENING = "calibration.md", "../how-to/listening.md"
_REPRESENTATIONS, _TRUST = "../how-to/representations.md", "../how-to/trust.md"
_SUCCESS, _AVERAGES = "../how-to/success.md", "../how-to/averages.md"
_CLAIMS = "calibration.md#claims"
_INTERACTIONS, _SHARES = "calibration.md#contrasts-of-contrasts", "../how-to/relevance.md"
ROWS = (
    Row("`phone_contrast`, `word_contrasts`: level", "calibration", f"AR chosen + {_FULL}", _CONTRAST,
        "level, df of speakers"),
    Row("the same: shape", "calibration", f"AR chosen + {_FULL}", _CONTRAST, "shape"),
    Row("the same: level and shape jointly", "calibration", f"AR chosen + {_FULL}", _CONTRAST, "joint",
        "simultaneous"),
    Row("the same with AR(1) always: jointly", "calibration", f"AR + {_FULL}", _CONTRAST, "joint", "simultaneous"),
    Row("`permutation_test` of whole speakers: jointly", "calibration", "permute speakers, refit", _CONTRAST, "joint"),
    Row("`bootstrap` of speakers: its band", "calibration", "bootstrap speakers, refit", _CONTRAST,
        "joint", "simultaneous"),
    Row("`contrast_of_contrasts`: jointly", "interaction_calibration", "contrast_of_contrasts", _INTERACTIONS, "joint",
        "simultaneous"),
    Row("`claims_of` a contrast over 5 layers: any that holds", "claim_calibration", "claims of phone_contrast",
        _CLAIMS, "holds", "covers the effect"),
    Row("`abx` within speakers: against chance", "abx_calibration", "speakers", _REPRESENTATIONS,
        "error rate within is not chance", "covers the error rate within"),
    Row("`abx` across speakers: against chance", "abx_calibration", "speakers", _REPRESENTATIONS,
        "error rate across is not chance", "covers the error rate across"),
    Row("`abx` within: against untrained networks", "abx_calibration", "speakers", _REPRESENTATIONS,
        "trained minus untrained within", drawn=False),
    Row("`phone_shares`: against untrained networks", "share_calibration", "speakers", _SHARES,
        "trained minus untrained", "covers the share"),
    Row("`phone_location`: share inside the phone against shifted phones", "trust_calibration", "speakers", _TRUST,
        "share inside the phone against shifted phones", "covers the share"),
    Row("`phone_location`: pointing game against shifted phones", "trust_calibration", "speakers", _TRUST,
        "pointing game against shifted phones", "covers the rate of hits"),
    Row("`compare_set_ups`: other networks", "success_calibration", "starts, networks", _SUCCESS,
        "set-ups, other networks"),
    Row("`success_rates`: for other networks", "success_calibration", "starts, networks", _SUCCESS, None,
        "covers other networks"),
    Row("`pattern_tests`: largest value, any letter", "average_calibration", "maximum of relevance", _AVERAGES,
        "max: any letter", "max: interval covers"),
    Row("`pattern_tests`: cluster mass, any letter", "average_calibration", "maximum of relevance", _AVERAGES,
        "cluster_mass: any letter"),
    Row("`pattern_tests`: TFCE, any letter", "average_calibration", "maximum of relevance", _AVERAGES,
        "tfce: any letter"),
    Row("`compare_conditions`: means of ratings", "rating_calibration", "two-way bootstrap", _LISTENING, "rejects",
        "covers difference"),
    Row("`compare_conditions(interval=\"t\")`", "rating_calibration", "two-way t", _LISTENING, "rejects",
        "covers difference"),
    Row("`compare_conditions`: p-value by permutation", "rating_calibration", "permutation", _LISTENING, "rejects"),
    Row("`clmm`: latent difference", "rating_calibration", "CLMM, t", _LISTENING, "rejects", "covers difference"),
    Row("`preference_shares`", "answer_calibration", "preference, mixed model, t", _LISTENING, "rejects",
        "covers share"),
    Row("`identification_rates`: two conditions", "answer_calibration", "identification, mixed model, t", _LISTENING,
        "rejects", "covers difference"),
    Row("`judge_agreement`: rank correlation", "answer_calibration", "judge, rank correlation", _LISTENING, "rejects",
        "covers agreement"),
    Row("`krippendorff_alpha`: for these raters", "answer_calibration", "Krippendorff's alpha", _LISTENING, None,
        "covers, these raters"),
    Row("`icc(kind=2)`: for other raters", "answer_calibration", "ICC(2)", _LISTENING, None, "covers agreement"),
)  # fmt: skip


def _span(shares: pd.Series) -> str:
    if shares.empty:
        return ""
    low, high = (f"{value:.2f}".removeprefix("0") for value in (shares.min(), shares.max()))
    return low if low == high else f"{low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high}"


def _errors(shares: pd.Series) -> str:
    return f"**{_span(shares)}**" if len(shares) and shares.max() > LARGE else _span(shares)


def table_row(row: Row, table: pd.DataFrame) -> dict[str, str]:
    """Say how one test and its interval do over the worlds of a study."""
    mine = table[table["recipe"] == row.recipe]
    tests, intervals = mine[mine["quantity"] == row.test], mine[mine["quantity"] == row.interval]
    null, other = tests[tests["truth"] == "none"], tests[tests["truth"] != "none"]
    worst = null.loc[null["share"].idxmax()] if len(null) else intervals.loc[intervals["share"].idxmin()]
    return {
        "what": row.question,
        "type I error": _errors(null["share"]),
        "coverage": _span(intervals["share"]),
        "power": _span(other["share"]) if row.drawn else "",
        "worst in": worst["world"],
        "data sets": f"{pd.concat([tests, intervals])['datasets'].min()}",
        "page": f"[how]({row.page}), [numbers]({row.table}.csv)",
    }


def _of_variance(table: pd.DataFrame) -> dict[str, str]:
    parts = table[table["component"] != "residual"]
    null = parts[parts["true_share"] == 0]
    worst = parts.loc[parts["coverage"].idxmin()]
    return {
        "what": "`variance_shares`: share of a component",
        "type I error": _errors(null["rejected"].dropna()),
        "coverage": _span(parts["coverage"]),
        "power": _span(parts.loc[parts["true_share"] > 0, "rejected"].dropna()),
        "worst in": f"{worst['world']} ({worst['component']})",
        "data sets": f"{parts['datasets'].min()}",
        "page": "[how](../how-to/variance.md), [numbers](variance_calibration.csv)",
    }


def index_page(folder: Path) -> str:
    """Write the table of all studies."""
    tables = {row.table: pd.read_csv(folder / f"{row.table}.csv", keep_default_na=False) for row in ROWS}
    rows = [table_row(row, tables[row.table]) for row in ROWS]
    rows.append(_of_variance(pd.read_csv(folder / "variance_calibration.csv")))
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    return HEAD + "\n".join([*lines, *("| " + " | ".join(row.values()) + " |" for row in rows)]) + "\n"


def write_index(app: Sphinx) -> None:
    """Write the page."""
    folder = Path(app.srcdir) / "statistics"
    write_page(folder / "calibration-index.md", index_page(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
