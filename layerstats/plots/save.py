"""Figures as files: PNG to look at, SVG to print."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from plotnine import ggplot, theme
from plotnine.exceptions import PlotnineWarning

from layerstats.checks import check_positive
from layerstats.files import replacing

DPI = 200


@dataclass(frozen=True)
class FigureFiles:
    """Where a figure was written.

    Examples
    --------
    >>> FigureFiles(Path("effects.png"), Path("effects.svg")).svg.name
    'effects.svg'
    """

    png: Path
    svg: Path


def save_figure(
    figure: ggplot, stem: str | Path, width: float | None = None, height: float | None = None
) -> FigureFiles:
    """Write a figure as PNG (200 dots per inch) and SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        What the functions of `layerstats.plots` return.
    stem
        Path without suffix; its folder is made. Files of that name are replaced.
    width, height
        Size in inches; by default the size that the figure was made for.

    Raises
    ------
    ArgumentError
        If a size is not positive.
    FileError
        If a file cannot be written.
    """
    own_width, own_height = figure.theme.getp("figure_size")
    size = (own_width if width is None else width, own_height if height is None else height)
    check_positive("width", size[0])
    check_positive("height", size[1])
    stem = Path(stem)
    files = FigureFiles(*(stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg")))
    # A fixed salt and no date: otherwise every SVG differs from the last.
    with mpl.rc_context({"svg.hashsalt": "layerstats"}), warnings.catch_warnings():
        # One layer or condition is a point, through which no line is missed.
        warnings.filterwarnings("ignore", "geom_path: Each group consist", PlotnineWarning)
        # Drawn once for both files, which halves the time.
        drawn = (figure + theme(figure_size=size, dpi=DPI)).draw()
        try:
            with replacing(files.png) as partial:
                drawn.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
            with replacing(files.svg) as partial:
                drawn.savefig(partial, format="svg", metadata={"Date": None, "Creator": None})
        finally:
            plt.close(drawn)
    return files
