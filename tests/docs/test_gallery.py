"""The lines of the gallery's figures draw them."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest
from plotnine import ggplot

from layerstats import plots

EXTENSIONS = Path(__file__).parents[2] / "docs" / "extensions"


@pytest.fixture(scope="module")
def gallery():
    pytest.importorskip("sphinx", reason="the site is built by `make docs`, which installs what it needs")
    sys.path.insert(0, str(EXTENSIONS))
    import gallery_pages

    sys.path.remove(str(EXTENSIONS))
    return gallery_pages


def test_the_lines_of_every_figure_run_as_they_stand(gallery, monkeypatch):
    saved = {}
    monkeypatch.setattr(plots, "save_figure", lambda figure, stem: saved.update({stem: figure}))
    figures = gallery.gallery_figures()
    for figure in figures.values():
        exec(figure.lines, {})
    assert saved.keys() == figures.keys()
    assert all(isinstance(figure, ggplot) for figure in saved.values())


def test_every_figure_is_in_the_gallery_once_and_says_what_it_shows(gallery):
    placed = [name for names in gallery.QUESTIONS.values() for name in names.split()]
    public = {name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))}
    assert sorted(placed) == sorted(public - {"save_figure", "paper_theme", "sounds_above"})
    assert [figure.name for figure in gallery.gallery_figures().values() if len(figure.alt.split()) < 8] == []
