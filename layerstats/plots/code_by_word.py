"""Which codes do the tokens of each word have? A table of shares as a picture."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_blank,
    element_text,
    geom_text,
    geom_tile,
    ggplot,
    labs,
    scale_color_identity,
    scale_fill_gradient,
    scale_x_discrete,
    scale_y_discrete,
    theme,
)

from layerstats.plots.frames import checked, column, rows
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("word", "code", "tokens", "share")
# In larger tables numbers would run into each other.
_MOST_NUMBERS = 20
# In inches; the caption needs as much.
NARROWEST = 4.2


def code_by_word(contingency: pd.DataFrame, words: pd.DataFrame | None = None, *, split: str = "test") -> ggplot:
    """Draw the share of each word's tokens that have a code, the number of tokens written into it.

    Parameters
    ----------
    contingency : columns `word, code, tokens, share`
        As in `LexicalLearning.contingency`; where there is a `split`, the given one is drawn.
    words : columns `word, code`, optional
        As in `LexicalLearning.words`: words stand in the order of their codes, which are framed, so that they lie on
        the diagonal; words without a code come last.
    split
        "test" or "train".

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(contingency, REQUIRED_COLUMNS, "code_by_word")
    if "split" in table:
        table = checked(rows(table, table["split"] == split), REQUIRED_COLUMNS, "code_by_word")
    said = sorted(set(table["word"]))
    codes = sorted(set(table["code"]), key=lambda code: (len(code), code))
    assigned: dict[str, str] = {}
    if words is not None:
        known = checked(words, ("word", "code"), "code_by_word").dropna(subset=["code"])
        assigned = {word: code for word, code in zip(known["word"], known["code"], strict=True) if word in said}
        codes = [*codes, *sorted(set(assigned.values()) - set(codes))]
    places = {code: place for place, code in enumerate(codes)}
    said.sort(key=lambda word: (places.get(assigned.get(word, ""), len(codes)), word))
    data = table.assign(
        word=pd.Categorical(table["word"], categories=said[::-1]),
        code=pd.Categorical(table["code"], categories=codes),
        ink=column(table, "share").gt(0.55).map({True: "white", False: "black"}),
    )
    figure = ggplot(data, aes("code", "word")) + geom_tile(aes(fill="share"), color="#e6e6e6", size=0.3)
    if assigned:
        frames = pd.DataFrame({"word": list(assigned), "code": list(assigned.values())})
        frames = frames.assign(
            word=pd.Categorical(frames["word"], categories=said[::-1]),
            code=pd.Categorical(frames["code"], categories=codes),
        )
        figure += geom_tile(data=frames, fill=None, color="black", size=0.8, width=0.94, height=0.94)
    if len(codes) <= _MOST_NUMBERS:
        figure += geom_text(aes(label="tokens", color="ink"), size=7)
    height = 1.2 + max(0.17 * len(said), 1.4)
    return (
        figure
        + scale_fill_gradient(low="#f2f2f2", high="#1a1a1a", limits=(0, 1))
        + scale_color_identity()
        + scale_x_discrete(drop=False)
        + scale_y_discrete(drop=False)
        + labs(
            x="Code",
            y="Word",
            fill="Share",
            caption="Share of the word's tokens with the code"
            + ("; numbers: tokens" if len(codes) <= _MOST_NUMBERS else "")
            + (";\nframed: the word's code, by the training voices." if assigned else "."),
        )
        + paper_theme(min(PAGE_WIDTH, max(NARROWEST, 2.2 + 0.4 * len(codes))), height)
        + theme(
            panel_grid_major=element_blank(),
            legend_position="right",
            legend_key_width=10,
            legend_title=element_text(size=8),
            axis_text_x=element_text(
                rotation=90 if len(codes) > 12 else 0, size=8 if len(codes) <= _MOST_NUMBERS else 5
            ),
        )
    )
