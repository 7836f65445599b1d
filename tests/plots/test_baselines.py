"""Every figure looks as it did: pictures of small figures, compared up to what letters and lines lose in drawing.

`make baselines` draws all of them anew; look at each before it is committed. A new figure of layerstats.plots gets a
function of its name in tests/plots/baseline_figures.py, and its picture by the same command.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import itertools
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
from matplotlib.text import Text
from PIL import Image, ImageChops, PngImagePlugin
from plotnine import expand_limits, ggplot, labs, theme

from layerstats import plots

FOLDER = Path(__file__).parent / "baseline"
DPI = 100
# Means over squares of so many pixels are compared: another rounding of a letter's edge leaves them as they are.
SQUARE = 8
# Of 255. Moving a whole picture by one pixel changes squares by up to 32, a label that is not there by 70 and more.
TOLERANCE = 36
# Of the files, which keeps them small.
COLOURS = 96
# Other versions than the ones that drew the pictures may lay figures out anew.
DRAWN_BY = ("matplotlib", "plotnine")


def _figures():
    """Load the neighbour by its place: test modules are no package."""
    spec = importlib.util.spec_from_file_location("baseline_figures", Path(__file__).with_name("baseline_figures.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = inspect.getmembers(module, inspect.isfunction)
    return {name: draw for name, draw in found if not name.startswith("_")}


FIGURES = _figures()


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


def write(picture: Image.Image, file: Path) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", versions())
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True, pnginfo=about)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name, tmp_path_factory):
    file, picture = FOLDER / f"{name}.png", drawn(FIGURES[name]())
    if os.environ.get("LAYERSTATS_BASELINES") == "write":
        write(picture, file)
    assert file.exists(), f"There is no baseline of {name}. Draw it with 'make baselines', and look at it."
    baseline = Image.open(file)
    if minor(baseline.info["Software"]) != minor(versions()):
        pytest.skip(f"pictures were drawn by {baseline.info['Software']}, and here is {versions()}; 'make baselines'")
    baseline = baseline.convert("RGB")
    found = difference(picture, baseline)
    if found > TOLERANCE:
        folder = tmp_path_factory.mktemp(name)
        picture.save(folder / "drawn.png")
        baseline.save(folder / "baseline.png")
        ImageChops.difference(picture.resize(baseline.size), baseline).save(folder / "difference.png")
        pytest.fail(
            f"{name} looks different: {found:.0f} of 255 in a square of {SQUARE} pixels, where {TOLERANCE} are "
            f"allowed. See {folder}; if the new look is right, 'make baselines'."
        )


@pytest.mark.parametrize("name", FIGURES)
def test_letters_are_inside_the_picture_and_not_on_each_other(name):
    with drawing(FIGURES[name]()) as canvas:
        width, height = canvas.get_width_height()
        texts = [text for text in canvas.figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]
    assert boxes
    cut = [text for text, box in boxes if min(box.x0, box.y0, width - box.x1, height - box.y1) < 1]
    assert not cut
    covered = [
        (first, second)
        for (first, one), (second, other) in itertools.combinations(boxes, 2)
        if min(one.x1, other.x1) - max(one.x0, other.x0) > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 2
    ]
    assert not covered


def _that_return_figures():
    public = {name: one for name in plots.__all__ if inspect.isfunction(one := getattr(plots, name))}
    return {name for name, one in public.items() if inspect.signature(one).return_annotation == "ggplot"}


def test_what_draws_a_figure_has_a_baseline_or_is_drawn_by_what_has_one():
    """A function of plots/ that returns a figure is in the list that baselines are asked of, or a part of others."""
    sources = {path: path.read_text(encoding="utf-8") for path in Path(plots.__file__).parent.glob("*.py")}
    defined = {
        node.name: path
        for path, source in sources.items()
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _returns(node) == "ggplot"
    }
    public = _that_return_figures()
    assert public <= defined.keys()
    for part in defined.keys() - public:
        users = {path.stem for path, source in sources.items() if f" import {part}" in source and path.stem != part}
        assert users & public, f"{part} draws a figure that no test looks at: make it public, or use it."


def _returns(node):
    return ast.unparse(node.returns) if node.returns else ""


def test_every_figure_has_a_baseline_and_every_baseline_a_figure():
    missing = _that_return_figures() - {name.split("__")[0] for name in FIGURES}
    assert not missing, (
        f"{', '.join(sorted(missing))}: write a function of that name in tests/plots/baseline_figures.py that draws a "
        "small one, run 'make baselines', and look at the picture."
    )
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == sorted(FIGURES)


def test_pictures_are_small():
    sizes = [path.stat().st_size for path in FOLDER.glob("*.png")]
    assert sizes
    assert max(sizes) < 60_000
    assert sum(sizes) / len(sizes) < 20_000  # a new figure adds little to the repository


def test_what_a_reader_would_see_is_a_difference():
    """A label less, another word, points elsewhere; and fewer colours, which the files have, are the same."""
    figure = FIGURES["effect_by_layer"]()
    picture = drawn(figure)
    softer = picture.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    assert difference(picture, softer) < TOLERANCE / 2
    changes = [
        figure + labs(x=""),
        figure + labs(y="Effect size of means (SD of speakers)"),
        figure + labs(caption=""),
        figure + expand_limits(y=3),
    ]
    assert all(difference(picture, drawn(one)) > TOLERANCE for one in changes)
