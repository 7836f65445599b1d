"""BLAS has one thread while anybody asks for it, and those it had before afterwards."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from layerstats.stats.one_thread import one_blas_thread


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        yield


def test_one_inside_and_as_many_as_before_outside():
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == {1}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == before == {2}


def test_errors_set_threads_back():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == {2}


def test_nothing_happens_where_threads_gain():
    with one_blas_thread(when=False):
        assert blas_threads() == {2}


def test_models_are_fitted_on_one_thread(monkeypatch):
    import numpy as np
    import pandas as pd

    from layerstats.stats.gamm import fit
    from layerstats.stats.gamm.engines import structured

    seen = []
    original = structured.fit_structured

    def watched(request, model):
        seen.append(blas_threads())
        return original(request, model)

    monkeypatch.setattr(structured, "fit_structured", watched)
    time = np.linspace(0, 1, 40)
    fit("y ~ s(time)", pd.DataFrame({"time": time, "y": np.sin(6 * time)}), engine="structured")
    assert seen == [{1}]
    assert blas_threads() == {2}
