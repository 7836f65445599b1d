"""Tables in HTML, through great-tables."""

from __future__ import annotations

from html import escape

import pandas as pd

from layerstats.tables.format import PrintTable


def html_table(table: PrintTable, *, identifier: str) -> str:
    """Write a table as an HTML fragment with its own style sheet.

    Parameters
    ----------
    table
        What to print; its texts are escaped.
    identifier
        The id of the element: the style sheet speaks of this table only.
    """
    from great_tables import GT, loc, style

    # great-tables takes headings as column names, which must differ from each other.
    names = [f"column_{index}" for index in range(len(table.headings))]
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in table.rows], columns=names, dtype=object)
    right = [name for name, aligned in zip(names, table.right_aligned, strict=True) if aligned]
    built = (
        GT(frame, id=identifier)
        .cols_label(dict(zip(names, table.headings, strict=True)))
        .cols_align("left")
        .cols_align("right", columns=right)
        .tab_options(
            table_font_size="14px",
            data_row_padding="3px",
            column_labels_font_weight="bold",
            table_border_top_color="black",
            table_border_bottom_color="black",
            column_labels_border_top_color="black",
            column_labels_border_bottom_color="black",
            table_body_border_bottom_color="black",
            table_body_hlines_style="none",
        )
    )
    if table.inner_headings:
        rows = loc.body(rows=sorted(table.inner_headings))
        line = style.borders(sides=["top", "bottom"], color="black", weight="2px")
        built = built.tab_style([style.text(weight="bold"), line], rows)
    if table.note:
        built = built.tab_source_note(table.note)
    return built.as_raw_html()


def html_page(fragment: str, title: str) -> str:
    """Put a head before a fragment, all on the first line, so that the file opens on its own.

    Examples
    --------
    >>> fragment_of(html_page("<table></table>", "Words"))
    '<table></table>'
    """
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>\n{fragment}'


def fragment_of(page: str) -> str:
    """Return the fragment that `html_page` was given."""
    return page.partition("\n")[2]
