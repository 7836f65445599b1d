import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import Contrast, Level, parse_phone_contrast
from layerstats.stats.contrasts.levels import read_level, read_levels


def test_a_level_is_one_value_or_several():
    assert read_level("s").members == ("s",)
    assert read_level(["p", "t"]).members == ("p", "t")
    assert read_level("voiced(b, d)") == Level("voiced", ("b", "d"))
    assert parse_phone_contrast(" s : sh ") == (("s",), ("sh",))


@pytest.mark.parametrize(
    ("contrast", "message"),
    [
        ("s", "separated by a colon"),
        ("s:", "values separated by commas"),
        ("p,,k:b", "values separated by commas"),
        ("p,p:b", "names each value once"),
        ("p,t:t,d", "two hold t"),
        ("a(p):a(t)", "different names"),
    ],
)
def test_bad_contrasts_say_what_is_wrong(contrast, message):
    with pytest.raises(ArgumentError, match=message):
        read_levels(contrast)
    with pytest.raises(ArgumentError, match=message):
        Contrast.read(contrast)


def test_phones_are_compared_two_by_two():
    with pytest.raises(ArgumentError, match="two sets separated by a colon"):
        parse_phone_contrast("s:sh:z")


@pytest.mark.parametrize(
    ("text", "column", "unit", "names"),
    [
        ("s:sh", "label", "phone", ("s", "sh")),
        ("p,t,k:b,d,g", "label", "phone", ("p,t,k", "b,d,g")),
        # Labels of X-SAMPA hold "=".
        ("n=:l=", "label", "phone", ("n=", "l=")),
        ("r=,m:l", "label", "phone", ("r=,m", "l")),
        ("sex=f:m", "sex", "token", ("f", "m")),
        ("phones.sex=f:m", "sex", "phone", ("f", "m")),
        ("phones.position=initial:final", "position", "phone", ("initial", "final")),
        ("dialect=north(dr1,dr2):south(dr5)", "dialect", "token", ("north", "south")),
        ("word=ask:dark:wash", "word", "token", ("ask", "dark", "wash")),
        ("home town=Ghent:Liège", "home town", "token", ("Ghent", "Liège")),
    ],
)
def test_strings_are_read_and_written(text, column, unit, names):
    contrast = Contrast.read(text)
    assert (contrast.column, contrast.unit, contrast.names) == (column, unit, names)
    assert contrast.text == text
    assert Contrast.read(contrast) is contrast


def test_strings_and_constructors_make_the_same():
    assert Contrast.of_phones("p,t,k", ["b", "d", "g"]) == Contrast.read("p,t,k:b,d,g")
    assert Contrast.between("sex", "f", "m") == Contrast.read("sex=f:m")
    assert Contrast.between("phone", "s", "sh", unit="phone") == Contrast.read("s:sh")
    assert Contrast.of_words("ask", "wash", variant="word").variant == "word"
    # A word may hold the signs that separate levels.
    assert Contrast.of_words("now, then", "a:b").names == ("now, then", "a:b")


def test_direction_names_and_coding():
    contrast = Contrast.read("sh:s")
    assert (contrast.name, contrast.level_1, contrast.level_2) == ("sh - s", "sh", "s")
    assert contrast.reference_first == ["s", "sh"]
    assert contrast.sign == 1.0
    turned = contrast.reversed()
    assert turned.name == "s - sh"
    assert turned.reference_first == contrast.reference_first
    assert turned.sign == -1.0
    words = Contrast.of_words("dark", "wash", "ask")
    assert words.name == "3 words"
    assert words.reference_first == ["ask", "dark", "wash"]
    assert Contrast.read("dialect=a:b:c").name == "3 levels of dialect"


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("s:sh", "phone_set"),
        ("sex=f:m", "sex"),
        ("dialect=north(dr1,dr2):south(dr5)", "dialect_set"),
        ("home town=Ghent:Liège", "home_town"),
        # Series have columns of these names.
        ("speaker=a:b", "speaker_set"),
        ("value=1:2", "value_set"),
    ],
)
def test_levels_stand_in_a_column_that_models_can_name(text, group):
    assert Contrast.read(text).group == group


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("sex", "f", "m"), {"unit": "frame"}, "'unit'"),
        (("sex", "f", "m"), {"variant": "short"}, "'variant'"),
        (("label", "s", "sh"), {"unit": "phone", "variant": "word"}, "no variant"),
        (("sex", "f"), {}, "two levels"),
    ],
)
def test_options_that_do_not_exist_are_refused(arguments, options, message):
    with pytest.raises(ArgumentError, match=message):
        Contrast.between(*arguments, **options)


def test_words_and_phones_are_two_different_ones():
    with pytest.raises(ArgumentError, match="two different words"):
        Contrast.of_words("ask", "ask")
    with pytest.raises(ArgumentError, match="two sets of phones"):
        Contrast.of_phones(["s", "sh"])


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        ((20, 30), ("20", "30")),
        ((1.0, 0.5), ("1", "0.5")),
        (([1.0, 2.0], {3}), ("1,2", "3")),
        ((True, False), ("True", "False")),
        ((np.int64(2), np.bool_(True)), ("2", "True")),
    ],
)
def test_values_may_be_numbers_and_booleans(levels, names):
    assert Contrast.between("dose", *levels).names == names


@pytest.mark.parametrize("contrast", [5, None, ["s", "sh"]])
def test_what_is_no_contrast_is_named(contrast):
    with pytest.raises(ArgumentError, match="A contrast is a string such as"):
        Contrast.read(contrast)
