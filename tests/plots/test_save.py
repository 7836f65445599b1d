import struct
import subprocess
import sys

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

from layerstats.errors import ArgumentError
from layerstats.plots import receptive_field, save_figure, smooths


def png_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_both_files_at_the_size_asked_for(tmp_path, curves):
    files = save_figure(smooths(curves()), tmp_path / "new" / "conv.1", width=4, height=2.5)
    assert files.png.name == "conv.1.png"
    assert png_size(files.png) == (800, 500)
    svg = files.svg.read_text()
    assert 'width="288pt" height="180pt"' in svg  # 72 points an inch


def test_the_figures_own_size_is_the_default(tmp_path, curves):
    figure = smooths(curves(layers=["conv1"]))
    width, height = figure.theme.getp("figure_size")
    assert png_size(save_figure(figure, tmp_path / "f").png) == (round(width * 200), round(height * 200))


def test_the_same_figure_gives_the_same_bytes(tmp_path, curves):
    first = save_figure(smooths(curves()), tmp_path / "first")
    second = save_figure(smooths(curves()), tmp_path / "second")
    assert first.svg.read_bytes() == second.svg.read_bytes()
    assert first.png.read_bytes() == second.png.read_bytes()
    assert "<dc:date>" not in first.svg.read_text()


def test_saving_leaves_the_figure_and_matplotlib_as_they_were(tmp_path, curves):
    figure = smooths(curves())
    before = plt.get_fignums(), plt.rcParams["svg.hashsalt"], figure.theme.getp("figure_size")
    save_figure(figure, tmp_path / "f", width=3, height=3)
    assert (plt.get_fignums(), plt.rcParams["svg.hashsalt"], figure.theme.getp("figure_size")) == before


def test_sizes_are_positive(tmp_path, curves):
    with pytest.raises(ArgumentError, match="'width'"):
        save_figure(smooths(curves()), tmp_path / "f", width=-1, height=2)


def test_plotnine_is_not_imported_with_the_package_or_with_tables():
    code = "import sys, layerstats, layerstats.tables, layerstats.report; sys.exit('plotnine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_dollar_signs_in_labels_are_letters(tmp_path, curves):
    layers = ["$x_$", r"$\frac$", "a$b"]
    files = save_figure(smooths(curves(layers=layers)), tmp_path / "f")
    # Drawn by whoever holds the figure, too.
    drawn = smooths(curves(layers=layers)).draw()
    assert not any(text.get_parse_math() for text in drawn.findobj(Text) if "$" in text.get_text())
    plt.close(drawn)
    assert files.png.stat().st_size > 0


def test_one_layer_is_a_point_without_a_warning(tmp_path):
    layers = pd.DataFrame({"layer": ["mel"], "receptive_field_s": [0.025], "hop_s": [0.01]})
    figure = receptive_field(layers, pd.DataFrame({"phone_duration_s": [0.05, 0.08, 0.1]}))
    assert save_figure(figure, tmp_path / "one").png.exists()
