import pandas as pd

from layerstats.plots.frames import in_order


def test_text_keeps_the_order_of_first_appearance():
    values = in_order(pd.Series(["conv10", "conv2", "conv10"]))
    assert list(values.cat.categories) == ["conv10", "conv2"]


def test_a_categorical_keeps_its_own_order_without_what_is_unused():
    values = pd.Series(pd.Categorical(["b", "a"], categories=["c", "b", "a"]))
    assert list(in_order(values).cat.categories) == ["b", "a"]
    numbers = pd.Series(pd.Categorical([2, 1], categories=[1, 2]))
    assert list(in_order(numbers).cat.categories) == ["1", "2"]
