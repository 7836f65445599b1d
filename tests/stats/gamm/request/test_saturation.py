"""Models that leave nothing to estimate a residual variance from are refused with the reason, whatever the engine."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.gamm import FitTask, fit
from layerstats.stats.resampling import permutation_test


@pytest.fixture(scope="module")
def data(words):
    generator = np.random.default_rng(5)
    frame = words.assign(
        row=[f"r{number}" for number in range(len(words))],
        noise=generator.normal(size=len(words)),
        z=generator.normal(size=len(words)),
        n=5.0,
        zero=0.0,
        time=words["x"].map("t{:.2f}".format),
        speaker=words["token"].str[1:],
    )
    place = frame.groupby("token").cumcount()
    return frame.assign(half=np.where(place % 2 == 0, "first", "second"), sign=np.where(place % 2 == 0, -1.0, 1.0))


EACH_ROW = r"has a level for each of the \d+ rows"


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("noise ~ s(x, k=6) + s(row, bs='re')", {}),
        ("noise ~ s(x, k=6) + s(row, bs='re')", {"method": "ML"}),
        ("noise ~ s(x, k=6) + s(row, bs='re')", {"weights": "n"}),
        ("noise ~ s(x, k=6) + s(row, bs='re')", {"rho": 0.3, "series": "token", "order": "x"}),
        ("noise ~ s(x, k=6) + s(row, bs='re')", {"engine": "mgcv"}),
        ("noise ~ s(x, k=6) + s(row, x, bs='re')", {}),
        ("noise ~ s(x, k=6) + s(row, by=word, bs='re')", {}),
        ("noise ~ s(x, k=6) + s(x, row, bs='fs', m=1, k=4)", {}),
        ("noise ~ s(x, k=6) + s(token, bs='re') + s(token, time, bs='re')", {}),
        ("noise ~ row", {}),
        ("noise ~ s(x, k=6) + token:time", {}),
    ],
)
def test_a_term_with_one_row_a_level(data, formula, options):
    if options.get("engine") == "mgcv":
        pytest.importorskip("rpy2.rinterface_lib")
    with pytest.raises(DataError, match=EACH_ROW):
        fit(formula, data, **options)


@pytest.mark.parametrize("bs", ["re", "fs"])
def test_one_row_a_token(data, bs):
    """A table of means: random terms of tokens are no longer to be had."""
    means = data.groupby("token").head(1).assign(x=lambda frame: np.arange(len(frame)) % 7)
    term = "s(token, bs='re')" if bs == "re" else "s(x, token, bs='fs', m=1, k=4)"
    with pytest.raises(DataError, match=r"of the 24 rows"):
        fit(f"y ~ word + s(speaker, bs='re') + {term}", means)
    assert len(fit("y ~ word + s(speaker, bs='re')", means).smooths) == 1


def test_two_rows_a_token(data):
    pairs = data.groupby("token").head(2)
    assert len(fit("y ~ word + s(token, bs='re')", pairs).smooths) == 1


def test_random_terms_that_make_up_the_residuals_together(data):
    """Two rows a token, a mean and a difference of each: [1 1; 1 1] and [1 -1; -1 1] add up to independent noise."""
    pairs = data.groupby("token").head(2)
    with pytest.raises(DataError, match=r"s\(token\) and s\(token,sign\) together leave each row"):
        fit("y ~ word + s(token, bs='re') + s(token, sign, bs='re')", pairs)
    with pytest.raises(DataError, match=EACH_ROW):
        fit("y ~ word + s(token, bs='re') + s(token, half, bs='re')", pairs)
    # Slopes along something else than plus and minus one can be told from noise.
    assert len(fit("y ~ word + s(token, bs='re') + s(token, z, bs='re')", pairs).smooths) == 2


def test_what_is_determined_is_fitted(data):
    assert len(fit("y ~ s(x, k=6) + s(token, bs='re') + s(token, half, bs='re')", data).smooths) == 3
    trials = data.assign(share=(1 + np.arange(len(data)) % 4) / 5)
    with pytest.raises(DataError, match=EACH_ROW):
        fit("late ~ s(z, k=5) + s(row, bs='re')", data.assign(late=(data["noise"] > 0) * 1), family="binomial")
    extra = fit("share ~ s(z, k=5) + s(row, bs='re')", trials, family="binomial", weights="n")
    assert len(extra.smooths) == 2  # more variance than binomial: counts can tell


@pytest.mark.parametrize(
    ("rows", "formula"),
    [(2, "y ~ x"), (3, "y ~ x + I(x^2)"), (2, "y ~ x + z"), (4, "y ~ x + z + n:x + I(x^2) + I(x^3)")],
)
def test_as_many_coefficients_as_rows(data, rows, formula):
    with pytest.raises(DataError, match=r"as many coefficients|fits the response exactly"):
        fit(formula, data.iloc[:rows], engine="structured")


@pytest.mark.parametrize(
    ("response", "formula", "options"),
    [
        (lambda data: 2 + 3 * data["x"], "y ~ s(x, k=6)", {}),
        (lambda data: 2 + 3 * data["x"], "y ~ x", {}),
        (lambda data: 2 + 3 * data["x"], "y ~ s(x, k=6)", {"method": "ML"}),
        (lambda data: 2 + 3 * data["x"], "y ~ s(x, k=6)", {"rho": 0.4, "series": "token", "order": "x"}),
        (lambda data: 2 + 3 * data["x"], "y ~ s(x, k=6)", {"rho": "auto", "series": "token", "order": "x"}),
        (lambda data: 2 + 3 * data["x"], "y ~ s(x, k=6)", {"rho": "reml", "series": "token", "order": "x"}),
        (lambda data: (data["word"] == "B") * 1.0, "y ~ word + s(x, k=6)", {}),
        (lambda data: np.sin(data["x"]), "y ~ s(x, k=21)", {}),
        (lambda data: data.groupby("token")["z"].transform("mean"), "y ~ s(x, k=6) + s(token, bs='re')", {}),
    ],
)
def test_a_response_without_noise(data, response, formula, options):
    with pytest.raises(DataError, match="fits the response exactly"):
        fit(formula, data.assign(y=response(data)), engine="structured", **options)


def test_a_response_with_little_noise_is_fitted(data):
    result = fit("y ~ s(x, k=6)", data.assign(y=2 + 3 * data["x"] + 1e-5 * data["noise"]), engine="structured")
    assert float(result.glance["scale"].iloc[0]) == pytest.approx(1e-10, rel=0.2)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_a_response_in_an_impossible_unit(data, unit):
    with pytest.raises(DataError, match="another unit"):
        fit("y ~ s(x, k=6)", data.assign(y=data["y"] * unit))


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ te(x, z, k=4) + te(z, x, k=4)",
        "y ~ te(x, z, k=4) + te(x, z, k=3)",
        "y ~ ti(x, z, k=4) + ti(z, x, k=4)",
        "y ~ t2(x, z, k=4) + t2(z, x, k=4)",
        "y ~ s(x, k=5) + s(x, k=6)",
        "y ~ s(x, by=word, k=5) + s(x, by=word, k=5)",
    ],
)
def test_the_same_smooth_twice(data, formula):
    with pytest.raises(DataError, match="are smooths of the same columns"):
        fit(formula, data)


def test_a_smooth_times_zero(data):
    with pytest.raises(DataError, match=r"s\(x\):zero is a smooth times zero"):
        fit("y ~ s(x) + s(x, by=zero)", data)


def test_no_rows_to_predict(data):
    result = fit("y ~ word + s(x, k=6)", data)
    for ask in (result.predict, result.design):
        with pytest.raises(DataError, match="new data have no rows"):
            ask(data.iloc[:0])


def test_resampling_refuses_it_too(data):
    task = FitTask("y ~ word + s(x, k=6) + s(x, row, bs='fs', m=1, k=4)", data, series="token", order="x")
    with pytest.raises(DataError, match=EACH_ROW):
        permutation_test({"one": task}, "word", replicates=19)


def test_one_value_a_level_in_a_table_of_any_index(data):
    frame = pd.concat([data.iloc[:30], data.iloc[-30:]]).set_index(np.arange(60) * 7)
    with pytest.raises(DataError, match="of the 60 rows"):
        fit("y ~ word + s(row, bs='re')", frame)
