"""Claims of what maximization does to speech: named cues, the path through the layers, codes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from layerstats.stats.claims.findings import ALPHA, ClaimFinding, family_of, interval_check
from layerstats.stats.exaggeration.cue_testing import CueTests
from layerstats.stats.exaggeration.feature_items import NATURAL
from layerstats.stats.moved_codes.code_movement import CodeMovement
from layerstats.stats.paths.path_comparison import PathComparison
from layerstats.tables.readable_names import readable_name

SAID = {
    "maximized": "maximized words",
    NATURAL: "natural words",
    "before": "words before maximization",
    "reconstructed": "words that the prior rebuilt",
    "random_direction": "words moved in random directions",
}


def cue_findings(result: CueTests) -> list[ClaimFinding]:
    """Return whether named cues are exaggerated against natural speech: the likeliest first.

    Each beside what the nulls do to the same cue: where one of them differs from natural speech in the same direction,
    the cue moves without being maximized, and a claim fails the check.
    """
    table = result.table
    own = table.loc[table["level_2"] == NATURAL]
    condition = str(table["level_1"].iloc[0])
    rows = own.loc[own["level_1"] == condition].sort_values("p_value", kind="stable").to_dict("records")
    nulls = own.loc[own["level_1"] != condition]
    beside = {(word, cue): rows.to_dict("records") for (word, cue), rows in nulls.groupby(["word", "cue"], sort=False)}
    return [_cue(row, beside.get((row["word"], row["cue"]), [])) for row in rows]


def _cue(row: Mapping, nulls: list[dict]) -> ClaimFinding:
    what = f"the {row['cue']} of “{row['word']}” (expected: {row['direction']} {row['measure']})"
    sizes = [null["exaggeration"] for null in nulls]
    less = row["p_reduced"] < ALPHA
    direction = "p_reduced" if less else "p_adjusted"
    moved = [SAID.get(str(null["level_1"]), str(null["level_1"])) for null in nulls if null[direction] < ALPHA]
    return ClaimFinding(
        key=f"{row['word']}:{row['cue']}",
        shown=f"Maximization {'reduces' if less else 'exaggerates'} {what}",
        not_shown=f"Maximization was not shown to exaggerate {what}",
        effect="difference from natural speech in the expected direction, in SDs of natural speakers",
        estimate=row["exaggeration"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        # Each direction has a family of one-sided tests.
        p_value=1 - row["p_value"] if less else row["p_value"],
        p_adjusted=row["p_reduced"] if less else row["p_adjusted"],
        family=family_of(row) + ", one-sided",
        sources=("cue_table", "cues"),
        null=", ".join(SAID.get(str(null["level_1"]), str(null["level_1"])) for null in nulls),
        null_low=min(sizes) if sizes else float("nan"),
        null_high=max(sizes) if sizes else float("nan"),
        failed_checks=tuple(f"{name} differ from natural words in the same direction" for name in moved),
    )


def path_findings(result: PathComparison) -> list[ClaimFinding]:
    """Return at which layer each condition leaves the path of natural words furthest, the maximized ones first.

    Of each pair of conditions the layer where they differ most, in standard errors; p-values are adjusted over all
    layers.
    """
    table = result.comparisons
    # Untrained networks are what the inputs alone bring about: the network itself comes first in the table.
    trained = result.table.loc[result.table["trained"].astype(bool), "network"]
    own = table.loc[table["network"].isin(trained.tolist())] if len(trained) else table
    found = []
    for _, rows in own.groupby(["network", "level_1", "level_2"], sort=False):
        most = rows["statistic"].abs().to_numpy(dtype=float)
        if np.isfinite(most).any():
            found.append(_path(rows.iloc[int(np.nanargmax(most))]))
    return found


def _path(row: Mapping) -> ClaimFinding:
    levels = [str(row[level]) for level in ("level_1", "level_2")]
    one, two = (SAID.get(level, readable_name(level)) for level in levels)
    way = "less" if row["diff"] < 0 else "more"
    # A natural word is compared with the others.
    than = "other natural words" if levels[1] == NATURAL else two
    like = "natural words of their class"
    return ClaimFinding(
        key=f"{row['network']}:{row['level_1']}-{row['level_2']}",
        shown=f"{one[:1].upper()}{one[1:]} are {way} like {like} than {than} are, most of all at {row['layer']} of "
        f"{row['network']}",
        not_shown=f"At no layer of {row['network']} were {one} and {two} shown to differ in how like {like} they are",
        effect=f"path similarity, {' minus '.join(map(readable_name, levels))} (1: the same word, 0: another)",
        estimate=row["diff"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("comparisons", "paths"),
    )


def code_findings(result: CodeMovement) -> list[ClaimFinding]:
    """Return whether codes move farther near the boundary, and come to lie by words more than by speakers."""
    found = [_displacement(row) for row in result.displacement.to_dict("records")]
    later = result.variance.loc[result.variance["moment"] == "after - before"]
    return found + [_variance(row) for row in later.to_dict("records")]


def _displacement(row: Mapping) -> ClaimFinding:
    ratio = "over" in row["measure"]
    more = row["estimate"] > (1 if ratio else 0)
    if ratio:
        shown = f"Codes of misclassified starts move {'farther' if more else 'less far'} than others"
        not_shown = "Codes of misclassified starts were not shown to move farther than others"
    else:
        by = row["measure"].rsplit(" the ", 1)[-1]
        shown = f"Codes move {'farther' if more else 'less far'}, the larger the {by}"
        not_shown = f"How far codes move was not shown to go with the {by}"
    return ClaimFinding(
        key=f"displacement:{row['measure']}",
        shown=shown,
        not_shown=not_shown,
        effect=row["measure"] + (" (1: as far)" if ratio else ""),
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("displacement_table", "displacement"),
        null="" if ratio else "displacements permuted within speakers",
        failed_checks=interval_check(row, 1.0 if ratio else 0.0),
    )


def _variance(row: Mapping) -> ClaimFinding:
    way = "more" if row["estimate"] > 0 else "less"
    what = f"Codes differ between {row['factor']}s"
    return ClaimFinding(
        key=f"variance:{row['factor']}",
        shown=f"{what} {way} after maximization than before",
        not_shown=f"Codes were not shown to differ between {row['factor']}s more or less after than before",
        effect=f"share of the variance of codes by {row['factor']}, after minus before",
        estimate=row["estimate"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        conf_level=row["conf_level"],
        p_value=row["p_value"],
        p_adjusted=row["p_adjusted"],
        family=family_of(row),
        sources=("variance", "arrows_by_word"),
    )
