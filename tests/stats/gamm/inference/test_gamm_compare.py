"""Which scores may be compared, and what the comparison says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import compare, fit
from layerstats.stats.gamm.inference.compare import count_parameters


@pytest.fixture(scope="module")
def fitted(words):
    data = words.assign(z=np.random.default_rng(0).uniform(size=len(words)))
    return {text: fit(text, data, engine="pygam") for text in ("y ~ s(x)", "y ~ word + s(x)", "y ~ word + s(x) + s(z)")}


def scored(result, score, method="ML"):
    """Return the result as if its engine had reported this score."""
    glance = result.engine_fit.glance.assign(score=score, method=method)
    return replace(
        result, engine_fit=replace(result.engine_fit, glance=glance), request=replace(result.request, method=method)
    )


def test_parameters_are_counted(fitted):
    # intercept + linear part + smoothing parameter; + word; + the same again for the second smooth
    assert [count_parameters(result) for result in fitted.values()] == [3, 4, 6]


def test_chi_square_by_definition(fitted):
    small, middle, large = fitted.values()
    table = compare(scored(small, 110.0), scored(large, 100.0))
    assert table["p_value"].iloc[1] == pytest.approx(stats.chi2.sf(20.0, 3))
    assert table["statistic"].iloc[1] == 20
    assert table["score_difference"].iloc[1] == 10
    assert np.isnan(table["p_value"].iloc[0])
    reversed_ = compare(scored(large, 100.0), scored(small, 110.0))
    assert reversed_["p_value"].iloc[0] == table["p_value"].iloc[1]
    assert list(reversed_["model"]) == [large.formula, small.formula]
    worse = compare(scored(middle, 100.0), scored(large, 101.0))
    assert worse["p_value"].isna().all()
    assert worse["score_difference"].iloc[1] == -1


@pytest.mark.parametrize("method", ["fREML", "REML"])
def test_restricted_scores_of_other_fixed_effects(fitted, method):
    small, middle, _ = fitted.values()
    with pytest.raises(ArgumentError, match=rf"{method} scores of models with different fixed effects.*method='ML'"):
        compare(scored(small, 2.0, method), scored(middle, 1.0, method))
    assert len(compare(scored(small, 2.0, method), scored(small, 1.0, method))) == 2


def test_what_cannot_be_compared(fitted, words):
    small, middle, _ = fitted.values()
    with pytest.raises(ArgumentError, match="no likelihood score"):
        compare(small, middle)
    with pytest.raises(ArgumentError, match="different methods"):
        compare(scored(small, 1.0, "ML"), scored(middle, 1.0, "fREML"))
    other = fit("y ~ s(x)", words.iloc[:-21], engine="pygam")
    with pytest.raises(ArgumentError, match="different data"):
        compare(scored(small, 1.0), scored(other, 1.0))
    logged = fit("exp(y) ~ s(x)", words, engine="pygam")
    with pytest.raises(ArgumentError, match="different responses"):
        compare(scored(small, 1.0), scored(logged, 1.0))


def test_the_order_of_rows_does_not_matter(fitted, words):
    small = fitted["y ~ s(x)"]
    shuffled = fit("y ~ s(x)", words, engine="pygam", series="token", order="x")
    assert len(compare(scored(small, 1.0), scored(shuffled, 1.0))) == 2


def tokens_with(words, **columns):
    data = words.assign(late=(words["x"] > 0.5).astype(int), n=1 + words.index % 3)
    return data.assign(**columns)


def by_structured(formula, data, **options):
    return fit(formula, data, engine="structured", method="ML", **options)


SERIES = {"series": "token", "order": "x"}


@pytest.mark.parametrize(
    ("formulas", "options", "reason"),
    [
        (("late ~ s(y)", "late ~ word + s(y)"), ({"family": "binomial"}, {}), "different families"),
        (("y ~ s(x)", "y ~ word + s(x)"), ({}, {"weights": "n"}), "prior weights"),
        (("y ~ s(x)", "y ~ word + s(x)"), ({"weights": "late1"}, {"weights": "n"}), "prior weights"),
        (("y ~ s(x)", "y ~ word + s(x) + offset(log(n))"), ({}, {}), "offset"),
        (("y ~ s(x) + offset(n)", "y ~ word + s(x) + offset(late)"), ({}, {}), "offset"),
        (("y ~ s(x)", "y ~ word + s(x)"), ({}, {**SERIES, "rho": 0.3}), "AR.1. parameters"),
        (
            ("y ~ s(x)", "y ~ word + s(x)"),
            ({**SERIES, "rho": 0.3}, {"series": "word", "order": "row", "rho": 0.3}),
            "whose series differ",
        ),
        (("late ~ s(y)", "late ~ word + s(y)"), ({"family": "binomial"},) * 2, "working model.*function='gam'"),
    ],
)
def test_likelihoods_of_other_data_are_refused(words, formulas, options, reason):
    data = tokens_with(words, late1=1 + words.index % 2, row=range(len(words)))
    one, two = (by_structured(formula, data, **own) for formula, own in zip(formulas, options, strict=True))
    for pair in ((one, two), (two, one)):
        with pytest.raises(ArgumentError, match=reason):
            compare(*pair)


def test_what_is_the_same_however_it_is_written(words):
    """Weights of one are none, an offset is its values, and rows are compared where the user had them."""
    data = tokens_with(words, log_n=np.log(1 + words.index % 3))
    pairs = [
        (by_structured("y ~ s(x)", data, weights=np.ones(len(data))), by_structured("y ~ word + s(x)", data, **SERIES)),
        (
            by_structured("y ~ s(x) + offset(log_n)", data),
            by_structured("y ~ word + s(x) + offset(log(n))", data, **SERIES),
        ),
        (
            by_structured("y ~ s(x)", data, weights="n"),
            by_structured("y ~ word + s(x)", data, weights=data["n"].to_numpy(), **SERIES),
        ),
    ]
    for pair in pairs:
        assert compare(*pair)["p_value"].iloc[1] < 0.001


def test_other_rows_of_the_same_number(words):
    one, two = (by_structured("y ~ s(x)", words.drop(index=row)) for row in (0, 1))
    with pytest.raises(ArgumentError, match="rows or their responses differ"):
        compare(one, two)


@pytest.mark.r
@pytest.mark.realdata
def test_published_comparison(real_data):
    """Sóskuthy (2017): scores 3334.300 and 3296.538, difference 37.762 on 3 df, p = 2.798e-16."""
    import pandas as pd

    data = pd.read_csv(real_data("gamm", "soskuthy2017", "words_50.csv"))
    small = fit('f2 ~ s(measurement.no, bs = "cr")', data, method="ML", engine="mgcv")
    large = fit(
        'f2 ~ word.ord + s(measurement.no, bs = "cr") + s(measurement.no, by = word.ord, bs = "cr")',
        data,
        method="ML",
        engine="mgcv",
        ordered={"word.ord": ("word", "A")},
    )
    table = compare(small, large)
    np.testing.assert_allclose(table["score"], [3334.300, 3296.538], atol=6e-4)
    assert table["score_difference"].iloc[1] == pytest.approx(37.762, abs=6e-4)
    assert table["df_difference"].iloc[1] == 3
    assert table["p_value"].iloc[1] == pytest.approx(2.798e-16, rel=5e-4)
