import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.contrasts.phone_sets import parse_phone_contrast, parse_phone_set


def test_a_set_is_one_label_or_several():
    assert parse_phone_set("s") == ("s",)
    assert parse_phone_set(["p", "t"]) == ("p", "t")
    assert parse_phone_contrast(" s : sh ") == (("s",), ("sh",))


@pytest.mark.parametrize(
    ("contrast", "message"),
    [
        ("s", "separated by a colon"),
        ("s:sh:z", "separated by a colon"),
        ("s:", "labels separated by commas"),
        ("p,,k:b", "labels separated by commas"),
        ("p,p:b", "names each phone once"),
        ("p,t:t,d", "both hold t"),
    ],
)
def test_bad_contrasts_say_what_is_wrong(contrast, message):
    with pytest.raises(ArgumentError, match=message):
        parse_phone_contrast(contrast)
