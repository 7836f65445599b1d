import itertools

import pytest
from matplotlib.colors import to_rgb

from layerstats.errors import ArgumentError
from layerstats.plots.scales import COLOURS, LINETYPES, SHAPES, group_scales


def luminance(colour):
    """Relative luminance of WCAG 2, which is what a photocopy keeps."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_first_colours_differ_in_black_and_white():
    for first, second in itertools.pairwise(COLOURS[:4]):
        lighter, darker = sorted([luminance(first), luminance(second)], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) > 2


def test_every_look_is_different():
    for looks in (COLOURS, LINETYPES, SHAPES):
        assert len(set(looks)) == len(looks) == 8


def test_the_legend_keeps_the_order_of_the_groups():
    (scale,) = group_scales(["wash", "ask"], "color")
    assert list(scale.breaks) == ["wash", "ask"]


def test_too_many_groups():
    with pytest.raises(ArgumentError, match="At most 8 groups"):
        group_scales(list("abcdefghi"), "color")


def test_legends_name_groups_in_words():
    assert group_scales(["maximized", "random_direction"], "color")[0].labels == ["maximized", "random direction"]
