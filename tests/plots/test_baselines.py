"""Every figure looks as it did: pictures of small figures, compared up to what letters and lines lose in drawing.

`make baselines` draws all of them anew; look at each before it is committed. A new figure of layerstats.plots gets a
function of its name in tests/plots/baseline_figures.py, and its picture by the same command.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import itertools
import runpy
from pathlib import Path

import pytest
from matplotlib.text import Text
from PIL import Image
from plotnine import expand_limits, labs

from layerstats import plots

FOLDER = Path(__file__).parent / "baseline"
_PICTURES = runpy.run_path(str(Path(__file__).parent.parent / "pictures.py"))
check_picture, difference, drawing, drawn = (
    _PICTURES[name] for name in ("check_picture", "difference", "drawing", "drawn")
)
COLOURS, TOLERANCE = _PICTURES["COLOURS"], _PICTURES["TOLERANCE"]


def _figures():
    """Load the neighbour by its place: test modules are no package."""
    spec = importlib.util.spec_from_file_location("baseline_figures", Path(__file__).with_name("baseline_figures.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = inspect.getmembers(module, inspect.isfunction)
    return {name: draw for name, draw in found if not name.startswith("_")}


FIGURES = _figures()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name, tmp_path_factory):
    check_picture(drawn(FIGURES[name]()), FOLDER / f"{name}.png", tmp_path_factory)


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
