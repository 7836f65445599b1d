"""The report on R does not crash, whatever is missing."""

import pytest

from layerstats.rbridge import RSession, r_status
from layerstats.rbridge.session import RReply


@pytest.mark.r
def test_what_is_here():
    status = r_status()
    assert status.works
    assert status.r_version
    assert status.r_version[0].isdigit()
    assert "-" in status.mgcv_version
    assert status.blas


def test_no_r(monkeypatch, tmp_path):
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    status = r_status()
    assert not status.works
    assert status.mend == "apt-get install r-base-core r-cran-mgcv libopenblas0-pthread"


@pytest.mark.r
def test_no_rpy2(monkeypatch, tmp_path):
    (tmp_path / "rpy2.py").write_text("raise ImportError('hidden')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status = r_status()
    assert not status.works
    assert status.r_home
    assert status.mend == "pip install 'layerstats[r]'"


@pytest.mark.r
@pytest.mark.parametrize(
    ("blas", "mend"),
    [
        ("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", "apt-get install libopenblas0-pthread"),
        ("/usr/lib/R/lib/libRblas.so", "apt-get install libopenblas0-pthread"),
        ("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", None),
    ],
)
def test_slow_linear_algebra_is_named(monkeypatch, blas, mend):
    versions = {"R": "4.2.2", "mgcv": "1.8-41", "lme4": None, "ordinal": None, "blas": blas, "lapack": blas}
    monkeypatch.setattr(RSession, "call", lambda self, function: RReply(versions))
    status = r_status()
    assert status.works
    assert status.mend == mend
