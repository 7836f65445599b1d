import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import bit_by_feature, code_by_word, heard_words, lexical_measures


def contingency():
    rows = [("test", "ask", "1", 3, 0.75), ("test", "ask", "0", 1, 0.25), ("test", "wash", "0", 4, 1.0)]
    rows += [("train", "wash", "2", 9, 1.0)]
    return pd.DataFrame(rows, columns=["split", "word", "code", "tokens", "share"])


def test_words_stand_in_the_order_of_their_codes(built):
    words = pd.DataFrame({"word": ["ask", "wash", "rag"], "code": ["1", "0", None]})
    figure = code_by_word(contingency(), words)
    tiles, frames, numbers = built(figure)
    assert list(figure.data["word"].cat.categories) == ["ask", "wash"]  # from the bottom
    assert sorted(zip(frames["x"], frames["y"], strict=True)) == [(1, 2), (2, 1)]
    assert sorted(numbers["label"].astype(int)) == [1, 3, 4]
    assert len(tiles) == 3


def test_large_tables_have_no_numbers(built):
    wide = pd.DataFrame({"word": "ask", "code": [f"{code:05b}" for code in range(30)], "tokens": 1, "share": 1 / 30})
    assert len(built(code_by_word(wide))) == 1


def test_associations_that_hold_are_framed(built):
    table = pd.DataFrame(
        {"bit": [1, 1, 2, 2], "feature": ["nasal", "sibilant"] * 2, "association": [0.8, -0.1, 0, 0.2],
         "p_adjusted": [0.001, 0.4, 1.0, 0.2]}
    )  # fmt: skip
    tiles, frames, found, rest = built(bit_by_feature(table))
    assert len(tiles) == 4
    assert len(frames) == 1
    assert found["label"].tolist() == ["0.80"]
    assert "\N{MINUS SIGN}0.10" in rest["label"].tolist()
    assert len(built(bit_by_feature(table.assign(p_adjusted=1.0)))) == 2


def test_heard_words_lie_on_the_diagonal(built):
    rows = [
        (code, value, judge, word, 3, share)
        for value in (1.0, 5.0)
        for judge in ("classifier", "pocketsphinx")
        for code, word, share in (("0", "wash", 0.9), ("1", "ask", 0.8), ("1", "rag", 0.2))
    ]
    figure = heard_words(pd.DataFrame(rows, columns=["code", "code_value", "judge", "response", "tokens", "share"]))
    assert list(figure.data["response"].cat.categories) == ["rag", "ask", "wash"]
    assert list(figure.data["value"].cat.categories) == ["code value 1", "code value 5"]
    _, numbers = built(figure)
    assert set(numbers["label"]) == {"90", "80", "20"}


def test_networks_stand_beside_their_chance(built):
    table = pd.DataFrame(
        {"network": ["ciwgan", "untrained", "untrained"], "network_seed": [0, 0, 1], "measure": "assignment accuracy",
         "estimate": [0.9, 0.2, 0.1], "conf_low": [0.8, 0.1, 0.0], "conf_high": [1.0, 0.3, 0.2], "chance": 0.125,
         "chance_low": 0.1, "chance_high": 0.2}
    )  # fmt: skip
    boxes, _, points = built(lexical_measures(table))
    assert len(boxes) == 3
    assert sorted(points["y"]) == [0.1, 0.2, 0.9]
    assert points["x"].nunique() == 3


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="nothing to draw"):
        code_by_word(contingency(), split="validation")
    for draw in (bit_by_feature, heard_words, lexical_measures):
        with pytest.raises(DataError, match="is not in"):
            draw(contingency())
