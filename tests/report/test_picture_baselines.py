"""Pictures that are drawn outside layerstats.plots look as they did: on pages of models, of claims, of sounds.

`make baselines` draws all of them anew; look at each before it is committed. What draws a picture gets a baseline here,
named after its file: `FILE__what`. Drawings as SVG are compared word by word, and any browser shows both.
"""

from __future__ import annotations

import ast
import io
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import layerstats
from layerstats import plots
from layerstats.cli.clmm_page import write_clmm_page
from layerstats.cli.gamm_page import write_gamm_page
from layerstats.report import Output
from layerstats.report.audition import pictures
from layerstats.report.listeners.listener_output import ListenerOutput
from layerstats.report.page.strip import Axis, Point, draw_choices, draw_effect
from layerstats.report.page.waveform import draw_waveform
from layerstats.report.sounds import TokenSound
from layerstats.stats.gamm import difference, fit

_PICTURES = runpy.run_path(str(Path(__file__).parent.parent / "pictures.py"))
FOLDER = Path(__file__).parent / "baseline"
PACKAGE = Path(layerstats.__file__).parent
LIBRARIES = {"plotnine", "matplotlib", "PIL"}
# What names a library of pictures, or writes a drawing, and draws nothing of its own.
DRAWS_NOTHING = {
    "embedded": "pictures of others with fewer colours",
    "claims": "the key of the page's drawings, which are strip's; the page in a browser is tested",
}


@pytest.fixture
def figures(monkeypatch):
    """Return figures by their names as pages would write them."""
    found = {}

    def note(figure, stem, *size):
        found[stem.name] = figure
        return plots.FigureFiles(stem.with_suffix(".png"), stem.with_suffix(".svg"))

    monkeypatch.setattr("layerstats.plots.save.save_figure", note)
    monkeypatch.setattr("layerstats.cli.gamm_page.write_page", lambda *about: None)
    monkeypatch.setattr("layerstats.cli.clmm_page.write_page", lambda *about: None)
    return found


def looks():
    """Return the lines of the page's style that drawings are drawn by."""
    style = (PACKAGE / "report" / "page" / "templates" / "page.css").read_text(encoding="utf-8")
    return "\n".join(line for line in style.splitlines() if line.startswith((":root", "svg ", ".strip", ".waveform")))


@pytest.fixture
def check(tmp_path_factory):
    """Return a function that compares a figure, the bytes of a picture, or a drawing with its baseline."""

    def compare(what, name):
        if isinstance(what, str):
            file = FOLDER / f"{name}.svg"
            # Markup would escape what is put into it.
            plain = what.encode().decode()
            text = plain.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ').replace("><", ">\n<") + "\n"
            text = text.replace(">\n", f">\n<style>\n{looks()}\n</style>\n", 1)
            if _PICTURES["rewriting"]():
                file.write_text(text, encoding="utf-8")
            assert text == file.read_text(encoding="utf-8"), "'make baselines' if the new look is right"
            return
        picture = Image.open(io.BytesIO(what)).convert("RGB") if isinstance(what, bytes) else _PICTURES["drawn"](what)
        _PICTURES["check_picture"](picture, FOLDER / f"{name}.png", tmp_path_factory)

    return compare


def test_the_page_of_a_gamm(figures, check, tmp_path):
    x = np.tile(np.linspace(0, 1, 15), 8)
    word = np.repeat(["dark", "wash"], 60)
    noise = 0.2 * np.sin(37.0 * np.arange(120) ** 1.5)
    frame = pd.DataFrame({"x": x, "word": word, "y": np.cos(3 * x) + (word == "wash") * np.sin(5 * x) + noise})
    by_word = fit("y ~ word + s(x, by = word)", frame, engine="structured")
    apart = difference(by_word, "word", "wash", "dark", at={"x": np.linspace(0, 1, 25)})
    nothing = {"smooths": by_word.smooths, "glance": by_word.glance}
    write_gamm_page(by_word, [apart], nothing, tmp_path / "by_word", "made up")
    for name in ("smooth_x", "difference_curves"):
        check(figures[name], f"gamm_page__{name}")
    alone = fit("y ~ s(x)", frame, engine="structured")
    write_gamm_page(alone, [], {"smooths": alone.smooths, "glance": alone.glance}, tmp_path / "alone", "made up")
    check(figures["smooth_x"], "gamm_page__without_a_factor")


def test_the_page_of_a_mixed_model_of_ratings(figures, check, tmp_path):
    categories = ["1", "2", "3", "4", "5"]
    model = SimpleNamespace(
        formula="rating ~ temp + (1 | judge)", link="logit", notes=(), categories=categories,
        latent_model=lambda: SimpleNamespace(scores=np.arange(1.0, 6.0)),
    )  # fmt: skip
    means = pd.DataFrame({"temp": ["cold", "warm"], "estimate": [2.4, 3.5]})
    means = means.assign(conf_low=means["estimate"] - 0.5, conf_high=means["estimate"] + 0.4)
    shares = {"cold": (0.2, 0.4, 0.2, 0.15, 0.05), "warm": (0.05, 0.1, 0.3, 0.35, 0.2)}
    rows = [(temp, one, share) for temp, own in shares.items() for one, share in zip(categories, own, strict=True)]
    probabilities = pd.DataFrame(rows, columns=["temp", "category", "estimate"])
    probabilities = probabilities.assign(
        conf_low=probabilities["estimate"] - 0.03, conf_high=probabilities["estimate"] + 0.03
    )
    contrasts = pd.DataFrame({"level_1": ["warm"], "level_2": ["cold"], "at": ["mean"], "estimate": [1.1]})
    contrasts = contrasts.assign(conf_low=0.6, conf_high=1.6, p_adjusted=0.0003)
    tables = {"means": means, "probabilities": probabilities, "contrasts": contrasts}
    write_clmm_page(model, tables, {"means": ["temp"], "contrasts": ["temp"]}, tmp_path, "made up", 0.5)
    for name in ("means_figure", "probabilities_figure", "contrasts_figure"):
        check(figures[name], f"clmm_page__{name}")


def test_figures_of_simulated_raters_say_so(figures, check, tmp_path):
    means = pd.DataFrame({"rater": ["r1", "r2", "r3"], "estimate": [2.0, 3.0, 3.5]})
    figure = plots.rater_means(means.assign(conf_low=means["estimate"] - 0.5, conf_high=means["estimate"] + 0.5))
    ListenerOutput(Output(tmp_path), simulated=True).figure(figure, "raters", "Raters")
    check(figures["raters"], "listener_output__simulated")


def test_spectrograms_of_the_page_to_listen_to(check):
    time, mel = np.meshgrid(np.linspace(0, 1, 90), np.linspace(0, 1, 80), indexing="ij")
    before = np.exp(-(((mel - 0.3 - 0.4 * time) / 0.1) ** 2))
    after = np.exp(-(((mel - 0.3 - 0.2 * time) / 0.1) ** 2))
    check(pictures.spectrogram(before), "pictures__spectrogram")
    check(pictures.difference(before, after, 80.0), "pictures__difference")


def test_drawings_of_claims(check):
    axis = Axis(-1.0, 4.0)
    check(draw_effect(Point(2.0, 1.5, 3.0, chosen=True), (-0.5, 0.5), axis, "2.0, null to 0.5"), "strip__draw_effect")
    open_ended = Point(1.0, 0.5, float("inf"))
    check(draw_effect(open_ended, (float("nan"),) * 2, axis, "1.0, no null"), "strip__draw_effect_without_null")
    points = [Point(2.0, 1.0, 3.0, lane=0, chosen=True), Point(1.5, 0.5, 2.5, lane=1), Point(3.5, 3.0, 9.0, lane=2)]
    check(draw_choices(points, axis, "three choices"), "strip__draw_choices")


def test_drawings_of_sounds(check):
    low, high = (-10, -60, -100, -40, -5, -20), (10, 70, 90, 40, 5, 20)
    phones = (("ae", 0.0, 0.25, False), ("s", 0.25, 0.4, True), ("k", 0.4, 0.5, False))
    heard = TokenSound("ask_1", "ask", "f1", "most typical", duration_s=0.5, low=low, high=high, phones=phones)
    check(draw_waveform(heard), "waveform__draw_waveform")


def imported(source):
    """Return the packages that a module imports, but for types."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    nodes = list(ast.walk(tree))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[0] for name in names}


def drawers():
    """Return the files outside plots/ that name a library of pictures, or write a drawing."""
    found = set()
    for path in [*PACKAGE.rglob("*"), *(PACKAGE.parent / "analyses").glob("*.py")]:
        if path.suffix not in (".py", ".html", ".js") or path.is_relative_to(PACKAGE / "plots"):
            continue
        text = path.read_text(encoding="utf-8")
        named = path.suffix == ".py" and any(name in text for name in LIBRARIES)
        libraries = named and imported(text) & LIBRARIES
        if libraries or any(word in text for word in ("<svg", "getContext(", "createElementNS")):
            found.add(path.stem)
    return found


def test_everything_that_draws_has_a_baseline():
    """Whoever writes a picture elsewhere than in plots/, or adds to a figure, is looked at here."""
    has = {path.stem.partition("__")[0] for path in FOLDER.iterdir()}
    found = drawers()
    missing = found - has - DRAWS_NOTHING.keys()
    assert not missing, (
        f"{', '.join(sorted(missing))}: give what they draw a baseline in tests/report/test_picture_baselines.py, "
        "'make baselines', and look at it."
    )
    assert has | DRAWS_NOTHING.keys() == found


@pytest.mark.parametrize("module", ["report/audition/pictures.py", "report/page/strip.py", "report/page/waveform.py"])
def test_every_function_that_returns_a_picture_has_a_baseline(module):
    path = PACKAGE / module
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) in ("Markup", "bytes")
    ]
    names = {file.stem for file in FOLDER.iterdir()}
    assert {f"{path.stem}__{name}" for name in made if not name.startswith("_")} <= names
