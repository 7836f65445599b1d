"""R gets UTF-8 and its own options, whatever the shell and the user's start-up files say."""

import pandas as pd
import pytest

from layerstats.rbridge import RPool, RSession
from layerstats.rbridge.home import worker_environment
from layerstats.stats.gamm import fit
from layerstats.stats.gamm.engines.mgcv import MgcvEngine

WORDS = ["zät", "ʃə", "a", "Z", "é", "日本"]


@pytest.fixture(params=["C", "POSIX", "de_DE.ISO-8859-1", "not_installed.UTF-8"])
def shell(request, monkeypatch, tmp_path):
    """A shell whose locale has no UTF-8, with start-up files that change what models depend on."""
    profile = tmp_path / ".Rprofile"
    profile.write_text('options(contrasts = c("contr.sum", "contr.helmert"), OutDec = ",", na.action = "na.fail")\n')
    monkeypatch.setenv("LC_ALL", request.param)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("R_PROFILE", str(profile))
    monkeypatch.setenv("R_PROFILE_USER", str(profile))
    monkeypatch.setenv("R_DEFAULT_PACKAGES", "NULL")
    monkeypatch.chdir(tmp_path)


def table():
    levels = pd.Categorical(["a", "é", "ʃə"] * 10, categories=["a", "é", "ʃə"])
    return pd.DataFrame({"höhe": [((7 * row) % 13) / 13 for row in range(30)], "wört": levels})


@pytest.mark.r
def test_text_and_options_in_any_shell(shell):
    frame = pd.DataFrame({"wört": pd.Categorical(WORDS), "höhe": range(6)})
    with RSession(timeout_s=60) as session:
        assert session.call("rev", x=WORDS).value == WORDS[::-1]
        assert session.call("sort", x=WORDS).value == sorted(WORDS)
        assert session.call("identity", x=frame).value.equals(frame)
        options = {name: session.call("getOption", x=name).value for name in ("contrasts", "OutDec", "na.action")}
        assert options["contrasts"] == {"unordered": "contr.treatment", "ordered": "contr.poly"}
        assert (options["OutDec"], options["na.action"]) == (".", "na.omit")
    # The parser and the models, too.
    with RPool(timeout_s=60) as pool:
        model = fit("höhe ~ wört", table(), engine=MgcvEngine(pool), function="gam", method="REML")
    assert list(model.parametric["term"]) == ["(Intercept)", "wörté", "wörtʃə"]


def test_the_locale_of_a_worker_is_not_the_shell_s(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("R_DEFAULT_PACKAGES", "NULL")
    try:
        environment = worker_environment()
    except ImportError:
        pytest.skip("R is not installed")
    assert "UTF-8" in environment["LC_CTYPE"]
    assert environment["LC_COLLATE"] == "C"
    assert not {"LC_ALL", "R_DEFAULT_PACKAGES"} & environment.keys()
