"""The gallery: figures of tests/plots/baseline_figures.py, their pictures as the tests compare them, and their lines.

What a page shows is what runs: the lines are those of the functions that tests draw, with what they need of the module.
"""

from __future__ import annotations

import ast
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from sphinx.application import Sphinx
from written_pages import keep_only, write_page

PLOTS = Path(__file__).parents[2] / "tests" / "plots"
QUESTIONS = {
    "What does a layer do while it hears a token?": "layer_series raw_series receptive_field",
    "Do words or phones differ, and when?": "smooths phone_curves difference double_difference",
    "At which layer, and would an untrained network show it too?": "effect_by_layer effect_by_network channel_effects",
    "Can the model be believed?": "residual_checks autocorrelation sensitivity_points",
    "At which layer can phones be told apart?": "abx_by_layer probe_by_layer similarity_matrix",
    "What is learned without labels?": "code_by_word bit_by_feature heard_words lexical_measures training_curves",
    "What does a classifier listen for, and who else hears it?": "maximized_features optimal_inputs ladder"
    " matrix_of_networks heard_classes success_by_class set_up_differences variance_shares",
    "Which cues are exaggerated, and do layers see speech?": "named_cues exaggeration_curves path_similarity"
    " code_arrows displacement_by_margin",
    "Which part of the input does a decision rest on?": "relevance_map phone_shares map_trust",
    "Which pattern goes with a letter?": "aligned_maps pattern_profiles",
    "What do people hear, and what do they prefer?": "listener_means rating_shares rating_contrasts rater_means"
    " judge_agreement condition_means",
}
HEAD = """# Gallery

Every figure of `layerstats.plots`, by the question that it answers; its page has the lines that draw it. Figures are
drawn of tidy frames with the columns that results have (`effect_by_layer(contrast.table)`). Here these are small and
written out, so that all lines run as they stand; `save_figure` writes PNG and SVG.
"""
PAGE_TO_LISTEN_TO = """
## What does it sound like?

::::{grid} 1 2 2 3
:gutter: 2

:::{grid-item-card} A page to listen to
:link: ../how-to/audition
:link-type: doc
:img-top: ../pictures/audition.png
:img-alt: The page to listen to: a table of draws, and players, spectrograms and judges of one of them
:::
::::
"""


@dataclass(frozen=True)
class GalleryFigure:
    """A picture: its name, what it shows, and the lines that draw it."""

    name: str
    alt: str
    lines: str


def _used(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _needed(function: ast.FunctionDef, helpers: dict[str, ast.stmt]) -> list[str]:
    """Return names of the module that a function needs, in the module's order."""
    needed, open_names = set(), _used(function)
    while found := (open_names & helpers.keys()) - needed:
        needed |= found
        open_names = set().union(*(_used(helpers[name]) for name in found))
    return [name for name in helpers if name in needed]


def _lines(source: str, function: ast.FunctionDef, helpers: dict[str, ast.stmt]) -> str:
    """Write what draws a figure as a script: imports, helpers, and the function's own lines."""
    rows = source.splitlines()

    def of(first: int, last: int) -> str:
        return "\n".join(rows[first - 1 : last])

    above = [of(helpers[name].lineno, helpers[name].end_lineno) for name in _needed(function, helpers)]
    last = function.body[-1]
    start = function.body[1].lineno
    before = dedent(of(start, last.lineno - 1)) if last.lineno > start else ""
    drawn = dedent(of(last.lineno, last.end_lineno)).replace("return ", "figure = ", 1)
    saved = f'plots.save_figure(figure, "{function.name}")'
    body = "\n\n".join(part for part in [*above, f"{before}\n{drawn}\n{saved}".strip()])
    imports = [line for line, name in (("import numpy as np", "np."), ("import pandas as pd", "pd.")) if name in body]
    return "\n".join([*imports, "", "from layerstats import plots", "", body]).lstrip()


@cache
def gallery_figures() -> dict[str, GalleryFigure]:
    """Read every figure of the module that tests draw."""
    source = (PLOTS / "baseline_figures.py").read_text(encoding="utf-8")
    module = ast.parse(source)
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    helpers: dict[str, ast.stmt] = {name: node for name, node in functions.items() if name.startswith("_")}
    constants = [node for node in module.body if isinstance(node, ast.Assign)]
    helpers = {**{node.targets[0].id: node for node in constants if isinstance(node.targets[0], ast.Name)}, **helpers}
    return {
        name: GalleryFigure(name, " ".join((ast.get_docstring(node) or "").split()), _lines(source, node, helpers))
        for name, node in functions.items()
        if not name.startswith("_")
    }


def title(name: str) -> str:
    """Write a figure's name as words."""
    return name.replace("abx", "ABX").replace("_", " ").capitalize().replace("Abx", "ABX")


def _figure_page(name: str, figures: list[GalleryFigure]) -> str:
    parts = [f"# {title(name)}", f"{{py:obj}}`layerstats.plots.{name}`"]
    for figure in figures:
        part = figure.name.partition("__")[2]
        parts += [f"## {part.replace('_', ' ').capitalize()}"] if part else []
        parts += [f"![{figure.alt}]({figure.name}.png)", f"*{figure.alt}*", f"```python\n{figure.lines}\n```"]
    return "\n\n".join(parts) + "\n"


def _card(name: str, figure: GalleryFigure) -> str:
    lines = [f":::{{grid-item-card}} {title(name)}", f":link: figures/{name}", ":link-type: doc"]
    return "\n".join([*lines, f":img-top: figures/{figure.name}.png", f":img-alt: {figure.alt}", ":::"])


def _index(figures: dict[str, GalleryFigure]) -> str:
    parts = [HEAD]
    for question, names in QUESTIONS.items():
        cards = "\n\n".join(_card(name, figures[name]) for name in names.split())
        parts.append(f"## {question}\n\n::::{{grid}} 1 2 2 3\n:gutter: 2\n\n{cards}\n::::\n")
    tree = "\n".join(f"figures/{name}" for names in QUESTIONS.values() for name in names.split())
    return "\n".join([*parts, PAGE_TO_LISTEN_TO, f"```{{toctree}}\n:hidden:\n\n{tree}\n```\n"])


def write_gallery(app: Sphinx) -> None:
    """Write a page a figure, and one with all of them."""
    folder, figures = Path(app.srcdir) / "gallery", gallery_figures()
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for picture in (PLOTS / "baseline").glob("*.png"):
        shutil.copy2(picture, folder / "figures" / picture.name)
    pages = [
        write_page(folder / "figures" / f"{name}.md", _figure_page(name, [figures[one] for one in figures
                   if one.split("__")[0] == name]))
        for names in QUESTIONS.values()
        for name in names.split()
    ]  # fmt: skip
    keep_only(folder, [*pages, write_page(folder / "index.md", _index(figures))])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
