"""Pictures that are compared with those that were looked at, up to what letters and lines lose in drawing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageChops, PngImagePlugin
from plotnine import ggplot, theme

DPI = 100
# Means over squares of so many pixels are compared: another rounding of a letter's edge leaves them as they are.
SQUARE = 8
# Of 255. Moving a whole picture by one pixel changes squares by up to 32, a label that is not there by 70 and more.
TOLERANCE = 36
# Of the files, which keeps them small.
COLOURS = 96
# Other versions than the ones that drew the pictures may lay figures out anew.
DRAWN_BY = ("matplotlib", "plotnine")


@contextmanager
def drawing(figure: ggplot) -> Iterator[FigureCanvasAgg]:
    """Draw with matplotlib's own settings and letters, whatever this machine's are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        picture = (figure + theme(dpi=DPI)).draw()
        canvas = FigureCanvasAgg(picture)
        canvas.draw()
        yield canvas
        plt.close(picture)


def drawn(figure: ggplot) -> Image.Image:
    with drawing(figure) as canvas:
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the largest difference of a square's mean colour, of 255."""
    if first.size != second.size:
        return 255.0
    return float(np.asarray(ImageChops.difference(first.reduce(SQUARE), second.reduce(SQUARE))).max())


def versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in DRAWN_BY)


def minor(text: str) -> list[str]:
    return [each.rpartition(".")[0] for each in text.split(", ")]


def rewriting() -> bool:
    """Whether baselines are drawn anew ('make baselines')."""
    return os.environ.get("LAYERSTATS_BASELINES") == "write"


def write(picture: Image.Image, file: Path) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", versions())
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True, pnginfo=about)


def check_picture(picture: Image.Image, file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fail where a picture differs from its baseline, leaving both and their difference."""
    if rewriting():
        write(picture, file)
    assert file.exists(), f"There is no baseline of {file.stem}. Draw it with 'make baselines', and look at it."
    baseline = Image.open(file)
    if minor(baseline.info["Software"]) != minor(versions()):
        pytest.skip(f"pictures were drawn by {baseline.info['Software']}, and here is {versions()}; 'make baselines'")
    baseline = baseline.convert("RGB")
    found = difference(picture, baseline)
    if found > TOLERANCE:
        folder = tmp_path_factory.mktemp(file.stem)
        picture.save(folder / "drawn.png")
        baseline.save(folder / "baseline.png")
        ImageChops.difference(picture.resize(baseline.size), baseline).save(folder / "difference.png")
        pytest.fail(
            f"{file.stem} looks different: {found:.0f} of 255 in a square of {SQUARE} pixels, where {TOLERANCE} are "
            f"allowed. See {folder}; if the new look is right, 'make baselines'."
        )
