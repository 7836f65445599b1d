"""`layerstats verify`: stored models, which of them agree with mgcv, and exit statuses."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.cli.stored_models import read_stored_models, write_stored_model
from layerstats.errors import ArgumentError, DataError, LayerstatsError

FORMULA = "y ~ wo + s(x) + s(x, by = wo) + s(x, token, bs = 'fs', m = 1, k = 4)"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    generator = np.random.default_rng(0)
    x = np.tile(np.linspace(0, 1, 12), 16)
    word = np.repeat(["ask", "wash"], 96)
    frame = pd.DataFrame({"token": np.repeat([f"t{number}" for number in range(16)], 12), "word": word, "x": x})
    frame["y"] = np.cos(4 * x) + (word == "wash") * np.sin(5 * x)
    frame["y"] += (generator.normal(0, 0.5, (16, 2)) @ np.cos(np.outer([0, 5], x[:12]))).ravel()
    frame["y"] += generator.normal(0, 0.2, len(frame))
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def gamm(table, out, *options):
    arguments = ["--ordered", "wo=word:ask", "--series", "token", "--order", "x", "--rho", "0.3"]
    return run("gamm", table, "--formula", FORMULA, "--out", out, *arguments, *options)


def test_a_fit_leaves_its_model_behind(table, tmp_path):
    found = gamm(table, tmp_path / "one", "--engine", "structured")
    assert found.exit_code == 0, found.output
    (model,) = read_stored_models(tmp_path)
    assert model.name == "one"
    assert model.table.samefile(table)
    assert model.formula == FORMULA
    assert model.options == {
        "engine": "structured",
        "method": "fREML",
        "rho": 0.3,
        "series": ["token"],
        "order": "x",
        "gaps": "adjacent",
        "ordered": {"wo": ("word", "ask")},
    }
    for same in (tmp_path / "one", tmp_path / "one" / "model.json"):
        assert read_stored_models(same)[0].options == model.options


def test_lists_of_models(table, tmp_path):
    (tmp_path / "table.csv").write_bytes(table.read_bytes())
    entries = '[[model]]\ntable = "table.csv"\nformula = "y ~ s(x)"\n'
    (tmp_path / "models.toml").write_text(entries + '[[model]]\nname = "b"\ntable = "table.csv"\nformula = "y ~ x"\n')
    assert [model.name for model in read_stored_models(tmp_path / "models.toml")] == ["1", "b"]
    (tmp_path / "models.json").write_text(json.dumps([{"table": "table.csv", "formula": "y ~ x", "rho": "auto"}]))
    assert read_stored_models(tmp_path / "models.json")[0].options == {"rho": "auto"}


def test_a_changed_table_is_another_model(table, tmp_path):
    copy = tmp_path / "table.csv"
    copy.write_bytes(table.read_bytes())
    write_stored_model(tmp_path, copy, "y ~ s(x)", {})
    copy.write_text(copy.read_text() + "t0,ask,2.0,1.0\n")
    with pytest.raises(DataError, match="has changed since"):
        read_stored_models(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "kind", "problem"),
    [
        ("absent.toml", None, DataError, "There is no file"),
        ("broken.toml", "[[model]", DataError, "cannot be read"),
        ("broken.json", "{", DataError, "cannot be read"),
        ("list.yaml", "model: 1", ArgumentError, "must end in .toml or .json"),
        ("empty.json", "[]", DataError, "lists no models"),
        ("number.json", "[1]", ArgumentError, "must be a table of keys"),
        ("short.json", '[{"table": "t.csv"}]', ArgumentError, "lacks 'formula'"),
        (
            "reading.json",
            '[{"table": "reading.json", "formula": "y ~ x", "reading": {"encoding": 5}}]',
            ArgumentError,
            "'encoding' in 'reading' must be text",
        ),
        ("deep.json", "[" * 9000, DataError, "cannot be read"),
        ("extra.json", '[{"table": "t.csv", "formula": "y ~ x", "Rho": 1}]', ArgumentError, "unknown key 'Rho'"),
        ("gone.json", '[{"table": "t.csv", "formula": "y ~ x"}]', DataError, "there is no table"),
    ],
)
def test_bad_lists(tmp_path, name, content, kind, problem):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(kind, match=problem):
        read_stored_models(tmp_path / name)


def test_a_folder_without_models(tmp_path):
    with pytest.raises(DataError, match=r"There is no model\.json"):
        read_stored_models(tmp_path)


@pytest.mark.r
def test_the_structured_engine_agrees(table, tmp_path):
    assert gamm(table, tmp_path / "models" / "fs").exit_code == 0
    plain = {"table": str(table), "formula": "y ~ s(x)", "function": "gam"}
    (tmp_path / "models" / "gam").mkdir()
    (tmp_path / "models" / "gam" / "model.json").write_text(json.dumps(plain))
    found = run("verify", tmp_path / "models", "--out", tmp_path / "differences.csv")
    assert found.exit_code == 0, found.output
    assert "gam: not compared. The engine 'structured' cannot fit this model" in found.stdout
    assert "2 models: 1 agree with mgcv, 0 differ, 1 not compared, 0 not fitted" in found.stdout
    written = pd.read_csv(tmp_path / "differences.csv")
    expected = {
        "parametric estimate",
        "parametric std_error",
        "smooth edf",
        "smooth ref_df",
        "smooth p_value",
        "fitted",
    }
    assert expected | {"parametric p_value", "score"} <= set(written["quantity"])
    assert written["agrees"].all()


@pytest.mark.r
def test_another_engine_differs(table, tmp_path):
    write_stored_model(tmp_path, table, "y ~ word + s(x)", {})
    found = run("verify", tmp_path, "--engine", "pygam")
    assert found.exit_code == 1
    assert "Beyond the tolerance:" in found.stdout
    assert "1 model: 0 agree with mgcv, 1 differ" in found.stdout


@pytest.mark.r
def test_a_fit_that_is_verified_at_once(table, tmp_path):
    found = gamm(table, tmp_path, "--engine", "structured", "--verify")
    assert found.exit_code == 0, found.output
    assert "parametric estimate" in found.stdout
    assert pd.read_csv(tmp_path / "verification.csv")["agrees"].all()


JUNK = [3, True, [1], [[1]], {"a": 1}, {"w": "word"}, {"w": ["word"]}, {"w": ["word", "a", "b"]}, {"w": [["a"]]}, 1e999]


@pytest.mark.parametrize(
    "key", ["ordered", "factors", "series", "order", "weights", "rho", "family", "method", "engine"]
)
@pytest.mark.parametrize("value", JUNK, ids=str)
def test_options_of_another_kind(tmp_path, key, value):
    pd.DataFrame({"y": [1.0, 2.0], "x": [0.0, 1.0], "word": ["a", "b"]}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "model.json").write_text(json.dumps({"table": "t.csv", "formula": "y ~ x", key: value}))
    result = CliRunner().invoke(app, ["verify", str(tmp_path)])
    assert isinstance(result.exception, (SystemExit, LayerstatsError)), (key, value)
