"""`layerstats verify` runs nothing of a stranger's: whatever stands in model.json or in its table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import RError
from layerstats.rbridge import RSession
from layerstats.stats.gamm.families import FAMILIES
from layerstats.stats.gamm.formula.functions import FORMULA_FUNCTIONS

pytestmark = pytest.mark.r

# R code that leaves a file behind, in as many quotations as it may need.
RUN = "file.create('RAN')"
RUN_TOO = 'file.create("RAN")'
FORMULAS = [
    f"y ~ s(x, id = {RUN})",
    f"y ~ s(x, k = {RUN})",
    f"y ~ s(x, xt = list({RUN_TOO}))",
    f"y ~ s(x, by = {RUN_TOO})",
    f"y ~ s(I({RUN}))",
    f"y ~ s(x) + offset({RUN})",
    f"{RUN} ~ s(x)",
    f"log(y + {RUN}) ~ s(x)",
    f"y ~ base::{RUN} + s(x)",
    "y ~ (base::file.create)('RAN') + s(x)",
    "y ~ (function() file.create('RAN'))() + s(x)",
    "y ~ (\\(z) file.create('RAN'))() + s(x)",
    "y ~ do.call('file.create', list('RAN')) + s(x)",
    "y ~ eval(parse(text = \"file.create('RAN')\")) + s(x)",
    "y ~ C(word, file.create) + s(x)",
    "y ~ C(word, 'file.create') + s(x)",
    "y ~ C(contr = 'file.create', word) + s(x)",
    "y ~ C(contr = text, object = word) + s(x)",
    "y ~ sapply('RAN', file.create) + s(x)",
    "y ~ if (TRUE) file.create('RAN') else x",
    "y ~ {file.create('RAN'); x}",
    f"y ~ s(x); {RUN}",
    f"y ~ s(x)\n{RUN}",
    f"y ~ s(x) # {RUN}\n+ {RUN}",
    f"{RUN} -> z",
    f"y ~ x |> {RUN}",
    f"y ~ s(x) + `a\\` + `+{RUN}+x #`",
    f"y ~ s(x) + `a\\`` + {RUN}",
    f"y ~ s(x, bs = r\"(tp)\") + r'(')' + {RUN} + ')'",
    f'y ~ s(x, bs = "tp\\") + {RUN} + (\\"")',
    f"y ~ s(x, `k = {RUN}` = 5)",
    f"y ~ s(x) + x[{RUN}]",
    f"y ~ s(x) + x${RUN}",
    f"y ~ s(x) %o% {RUN}",
    "`file.create`('RAN') ~ s(x)",
    "y ~ 'file.create'('RAN') + s(x)",
    f"y ~ s(x) + .Internal({RUN})",
    "y ~ file.create ( 'RAN' ) + s(x)",
    f"y ~ \ufeff{RUN} + s(x)",
    f"y ~ s(x)\x0c+{RUN}",
    f"y ~ s(x) + \u00a0{RUN}",
]
OPTIONS = [
    {"family": RUN},
    {"family": f"gaussian(link = {RUN})"},
    {"family": f'Gamma(link = "{RUN}")'},
    {"family": f"ocat(R = {RUN})"},
    {"family": f"(function() {RUN})()"},
    {"family": ["gaussian", RUN]},
    {"method": RUN},
    {"method": f"ML'); {RUN}; ('"},
    {"function": RUN},
    {"function": f"bam; {RUN}"},
    {"weights": RUN},
    {"series": [RUN], "order": "x", "rho": 0.3},
    {"series": ["word"], "order": RUN, "rho": 0.3},
    {"series": ["word"], "order": "x", "rho": RUN},
    {"rho": f"auto; {RUN}"},
    {"factors": {"word": [RUN, "a", "b"]}},
    {"factors": {RUN: ["a", "b"]}},
    {"ordered": {RUN: ["word", "a"]}},
    {"ordered": {"w": ["word", RUN]}},
    {"ordered": {"w": [RUN, "a"]}},
    {"engine": RUN},
    {"gaps": RUN},
    {"knots": {"x": [RUN]}},
    {"knots": {RUN: [0, 1]}},
    {"discrete": RUN},
]
COLUMNS = [
    RUN,
    RUN_TOO,
    f"x`); {RUN}; (`",
    f'x"); {RUN}; ("',
    "`",
    "a\\",
    f"x; {RUN}",
    f"x + {RUN}",
    f"x\n{RUN}",
    "x:y",
    "if",
]


def table(**columns):
    random = np.random.default_rng(0)
    x = np.arange(60) / 60
    values = {"y": np.sin(6 * x) + random.normal(size=60) / 9, "x": x, "word": np.tile(["a", "b"], 30)}
    return pd.DataFrame({**values, "text": "file.create", **columns})


@pytest.fixture
def verify(tmp_path, monkeypatch):
    """A function that writes a model and verifies it, as a command in its folder; whether the code ran."""
    monkeypatch.chdir(tmp_path)

    def run(frame, **entry):
        frame.to_csv("t.csv", index=False)
        (tmp_path / "model.json").write_text(json.dumps({"table": "t.csv", "formula": "y ~ s(x)", **entry}))
        result = CliRunner().invoke(app, ["verify", "."])
        return result, (tmp_path / "RAN").exists()

    return run


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(verify, formula):
    frame = table(**{"a\\": 1.5, f"+{RUN}+x #": 2.5})
    _, ran = verify(frame, formula=formula)
    assert not ran


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_options(verify, options):
    _, ran = verify(table(), **options)
    assert not ran
    _, ran = verify(table(), formula="y ~ word + s(x, by = word)", **options)
    assert not ran


@pytest.mark.slow
@pytest.mark.parametrize("name", COLUMNS)
def test_names_of_columns_and_levels(verify, name):
    frame = table(**{name: np.cos(np.arange(60.0))})
    _, ran = verify(frame, formula=f"y ~ x + s(`{name}`)")
    assert not ran
    _, ran = verify(frame, formula=f"y ~ `{name}` + s(x, by = `{name}`)")
    assert not ran
    frame = table(word=np.tile([name, f"{name}2"], 30))
    for formula in (
        "y ~ word + s(x, by = word)",
        'y ~ s(x) + s(word, bs = "re")',
        "y ~ factor(word) + s(x, word, bs='fs')",
    ):
        _, ran = verify(frame, formula=formula)
        assert not ran
    _, ran = verify(
        frame, formula="y ~ word + s(x)", ordered={"w": ["word", name]}, factors={"word": [f"{name}2", name]}
    )
    assert not ran


@pytest.fixture(scope="module")
def session():
    with RSession(timeout_s=60) as running:
        yield running


@pytest.mark.parametrize("formula", FORMULAS)
def test_r_itself_refuses_what_python_might_let_through(session, formula):
    # Where the code passes, it is evaluated before R misses the other arguments.
    with pytest.raises(RError):
        session.call("bridge_values", expression=formula.partition("~")[2] or formula)
    with pytest.raises(RError):
        session.call("as.formula", formula=formula, object=formula)
    assert not Path("RAN").exists()


@pytest.mark.parametrize("family", [RUN, f"gaussian(link = {RUN})", f"(function() {RUN})()", f"stats::sd({RUN})"])
def test_r_refuses_families_that_are_none(session, family):
    with pytest.raises(RError, match="not code that a formula may hold"):
        session.call("bridge_fit", formula="y ~ x", family=family)


def test_r_reads_no_further_than_the_formula(session):
    allowed = ["y ~ s(x, k = -1) + te(x, z, bs = c('cr', 'tp')) - 1", "log(y) ~ poly(x, 2) %in% a + C(a, contr.sum)"]
    for formula in [
        *allowed,
        "y ~ mgcv::s(x) + offset(-log(z)) + I(x^2) + (1 - x):(a == 'b') + C(a, contr.treatment(3))",
    ]:
        with pytest.raises(RError, match=r"argument|missing"):
            session.call("bridge_fit", formula=formula)


def test_one_list_in_both_languages(session):
    assert set(session.call("get", x="formula_functions").value) == FORMULA_FUNCTIONS
    assert set(FAMILIES) <= set(session.call("get", x="family_functions").value)
