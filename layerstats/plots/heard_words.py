"""What judges hear when a generator says its codes."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    facet_grid,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient,
    scale_x_discrete,
    theme,
)

from layerstats.plots.frames import checked, column, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("code", "code_value", "judge", "response", "tokens", "share")
_MOST_NUMBERS = 10
# Names of codes that have room beside each other, at all code values.
_MOST_NAMES = 60


def heard_words(shares: pd.DataFrame) -> ggplot:
    """Draw the share of each code's tokens in which a word is heard: a row of panels a judge, a column a code value.

    Words stand in the order of the codes that they are most heard in, by the first judge at the largest value, so
    that a generator that says a word of its own for every code gives a diagonal.

    Parameters
    ----------
    shares : columns `code, code_value, judge, response, tokens, share`
        As in `layerstats.stats.lexical.Heard.shares`.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(shares, REQUIRED_COLUMNS, "heard_words")
    codes = sorted(set(table["code"]), key=lambda code: (len(code), code))
    chosen = (table["judge"] == table["judge"].iloc[0]) & (table["code_value"] == table["code_value"].max())
    first = table.loc[chosen]
    best = (
        first.sort_values("share", ascending=False).drop_duplicates("response").set_index("response")["code"].to_dict()
    )
    rank = {word: codes.index(code) for word, code in best.items()}
    heard = sorted(set(table["response"]), key=lambda word: (rank.get(word, len(codes)), word))
    values = sorted(set(table["code_value"]))
    data = table.assign(
        response=pd.Categorical(table["response"], categories=heard[::-1]),
        code=pd.Categorical(table["code"], categories=codes),
        judge=in_order(column(table, "judge")),
        value=pd.Categorical(
            [f"code value {value:g}" for value in table["code_value"]],
            categories=[f"code value {value:g}" for value in values],
        ),
        ink=column(table, "share").gt(0.55).map({True: "white", False: "black"}),
        percent=(100 * column(table, "share")).round().astype(int).astype(str),
    )
    figure = ggplot(data, aes("code", "response")) + geom_tile(aes(fill="share"), color="#e6e6e6", size=0.3)
    numbers = len(codes) * len(values) <= 3 * _MOST_NUMBERS
    if numbers:
        figure += geom_text(aes(label="percent", color="ink"), size=6)
    return (
        figure
        + scale_fill_gradient(low="#f2f2f2", high="#1a1a1a", limits=(0, 1))
        + scale_color_identity()
        + scale_x_discrete(breaks=codes[:: -(-len(codes) * len(values) // _MOST_NAMES)])
        + facet_grid("judge", "value")
        + labs(
            x="Code",
            y="Word heard",
            fill="Share",
            caption="Share of the code's tokens" + (" (numbers: per cent)." if numbers else "."),
        )
        + paper_theme(PAGE_WIDTH, 1.2 + len(set(table["judge"])) * max(1.2, 0.19 * len(heard)))
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            legend_key_width=10,
            legend_title=element_text(size=8),
            axis_text_x=element_text(rotation=90 if len(codes[0]) > 2 else 0, size=8 if len(codes) <= 16 else 5.5),
        )
    )
