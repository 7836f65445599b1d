"""The one look of all figures: readable in black and white, at the width of a paper's column."""

from __future__ import annotations

from plotnine import element_blank, element_line, element_rect, element_text, theme, theme_bw

# Width of the text of a two-column paper, in inches.
PAGE_WIDTH = 7.0

TEXT = "#1a1a1a"
FAINT = "#a6a6a6"
GRID = "#e6e6e6"
BAND = "#d9d9d9"


def paper_theme(width: float = PAGE_WIDTH, height: float = 3.0) -> theme:
    """Return the theme of all figures.

    Parameters
    ----------
    width, height
        Size of the figure in inches. Letters have 8 to 9 points, whatever the size.
    """
    look = theme_bw(base_size=9, base_family="DejaVu Sans") + theme(
        figure_size=(width, height),
        text=element_text(color=TEXT),
        axis_text=element_text(size=8, color=TEXT),
        axis_title=element_text(size=9),
        strip_text=element_text(size=8, margin={"t": 2, "b": 2, "l": 3, "r": 3, "unit": "pt"}),
        strip_background=element_rect(fill="#f2f2f2", color="none"),
        panel_border=element_rect(color="#7f7f7f", size=0.5),
        panel_grid_major=element_line(color=GRID, size=0.4),
        panel_grid_minor=element_blank(),
        panel_spacing=0.02,
        legend_position="top",
        legend_title=element_blank(),
        legend_text=element_text(size=8),
        legend_key=element_blank(),
        legend_key_width=24,
        legend_background=element_blank(),
        plot_title=element_text(size=10, ha="left"),
        plot_caption=element_text(size=7, ha="left", color="#4d4d4d"),
    )
    # Labels are the user's text: a dollar sign in them begins no formula. A theme's parameters are set like this.
    look._rcParams["text.parse_math"] = False
    return look
