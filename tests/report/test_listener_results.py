"""What comes out of a listening test says what was asked, what was removed, and where nobody listened."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening import RaterWorld, make_design, simulate_answers
from layerstats.plots import FigureFiles
from layerstats.report import AnswerSettings, Output, write_answers, write_page
from layerstats.stats import krippendorff_alpha
from layerstats.tables.answers import PROBLEM_COLUMNS, Answers

CONDITIONS = ("auto", "natural", "none")
FEW = AnswerSettings(draws=200, model=False)


@pytest.fixture
def undrawn(monkeypatch):
    """Note figures without drawing them, which takes most of the time."""
    made = lambda figure, stem, *size: FigureFiles(stem.with_suffix(".png"), stem.with_suffix(".svg"))  # noqa: E731
    monkeypatch.setattr("layerstats.plots.save.save_figure", made)


def design_of(task="opinion", conditions=CONDITIONS, **options):
    rows = [(f"{c}_{w}_{k}", f"{c}{w}{k}.wav", c, w) for c in conditions for w in ("yes", "no", "six") for k in "ab"]
    clips = pd.DataFrame(rows, columns=["clip", "file", "condition", "target"])
    length = 6 if task in ("preference", "abx") else 2 * len(conditions)
    return make_design(clips, task=task, raters_per_clip=4, trials_per_session=length, rules=[], seed=1, **options)


def entries(folder):
    found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["entries"]
    return {entry["name"]: entry for entry in found}


def real(table, scale=(1, 5)):
    """Answers of people: the names of raters do not say that they are simulated."""
    table = table.assign(rater=table["rater"].str.replace("simulated rater", "worker"))
    return Answers(table, pd.DataFrame(columns=list(PROBLEM_COLUMNS)), scale)


def ratings(raters=6, conditions=("a", "b"), clips=4, seed=0):
    random = np.random.default_rng(seed)
    rows = [
        (f"r{rater}", f"{condition}{clip}", condition, int(random.integers(1, 6)))
        for rater in range(raters)
        for condition in conditions
        for clip in range(clips)
    ]
    return real(pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"]))


def notes(folder):
    return entries(folder)["notes"]["caption"]


@pytest.mark.parametrize("task", ["opinion", "preference", "abx", "identification"])
def test_every_table_and_figure_says_that_raters_are_simulated(task, tmp_path):
    contrasts = () if task == "identification" else ("auto - none",)
    design = design_of(task, contrasts=contrasts, **({"alternatives": "targets"} if task == "identification" else {}))
    answers = simulate_answers(design, RaterWorld({}), seed=1)
    write_answers(Output(tmp_path), answers, design=design, settings=FEW, rules=["catch_missed"])
    # Of claims each sentence says so.
    shown = [entry for name, entry in entries(tmp_path).items() if entry["kind"] != "text" and name != "claims"]
    assert len(shown) > 3
    said = pd.read_csv(tmp_path / "claims.csv")["claim"]
    assert said.str.contains("imulated raters (nobody listened)", regex=False).all()
    assert all("(simulated raters)" in entry["title"] for entry in shown)
    assert all(entry["caption"].startswith("Simulated raters: nobody listened.") for entry in shown)
    figures = [entry for entry in shown if entry["kind"] == "figure"]
    assert figures
    # Letters of a figure are paths; that it says so by itself is seen in its plot.
    assert "simulated: nobody listened" in notes(tmp_path)
    write_answers(Output(tmp_path / "real"), real(answers.table), design=design, settings=FEW)
    text = json.dumps(list(entries(tmp_path / "real").values()))
    assert "imulated" not in text


def test_a_figure_says_so_by_itself(tmp_path, monkeypatch):
    captions = []
    monkeypatch.setattr(Output, "figure", lambda self, figure, *rest, **kw: captions.append(figure.labels.caption))
    answers = simulate_answers(design_of(), RaterWorld({}), seed=1)
    write_answers(Output(tmp_path), answers, settings=dataclasses.replace(FEW, classes="target"))
    assert len(captions) == 5
    assert all(caption.endswith("Simulated raters: nobody listened.") for caption in captions)


def test_differences_are_those_of_the_design(tmp_path, undrawn):
    design = design_of(contrasts=("none - natural", "auto - none"), equivalence_margin=0.4)
    answers = simulate_answers(design, RaterWorld({"natural": 3.0}), seed=1)
    write_answers(Output(tmp_path), answers, design=design, settings=dataclasses.replace(FEW, model=True))
    for name in ("differences", "clmm_contrasts"):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert table[["level_1", "level_2"]].values.tolist() == [["none", "natural"], ["auto", "none"]]
        assert set(table["equivalence_margin"]) == {0.4}
        assert table["estimate"].iloc[0] < 0
    means = pd.read_csv(tmp_path / "clmm_means.csv")
    assert ((means["conf_low"] > 1) & (means["conf_high"] < 5)).all()
    other = AnswerSettings(reference="auto", draws=200, model=False)
    write_answers(Output(tmp_path / "other"), answers, design=design, settings=other)
    table = pd.read_csv(tmp_path / "other" / "differences.csv")
    assert table[["level_1", "level_2"]].values.tolist() == [["natural", "auto"], ["none", "auto"]]


def test_means_are_those_of_the_ratings_that_rules_leave(tmp_path, undrawn):
    answers = simulate_answers(design_of(), RaterWorld({}, careless=0.5), seed=3)
    kept = write_answers(Output(tmp_path), answers, settings=FEW, rules=["catch_missed"])
    assert 0 < kept["rater"].nunique() < answers.table["rater"].nunique()
    test = kept.loc[kept["role"] == "test"]
    table = pd.read_csv(tmp_path / "means.csv").set_index("condition")["estimate"]
    pd.testing.assert_series_equal(table, test.groupby("condition")["rating"].mean(), check_names=False)
    removed = pd.read_csv(tmp_path / "cleaning.csv")
    assert removed["raters"].tolist() == [answers.table["rater"].nunique() - kept["rater"].nunique()]
    shares = pd.read_csv(tmp_path / "distribution.csv")
    assert np.allclose(shares.groupby("condition")["share"].sum(), 1)


def test_opinions_come_with_what_they_cannot_be_compared_with(tmp_path, undrawn):
    write_answers(Output(tmp_path), ratings(), settings=FEW)
    assert "not comparable across tests" in entries(tmp_path)["comparable"]["caption"]
    assert "not comparable" not in entries(tmp_path).get("notes", {"caption": ""})["caption"]


def test_agreement_has_intervals_and_says_what_cannot_be_told(tmp_path, undrawn):
    answers = ratings(raters=5)
    write_answers(Output(tmp_path), answers, settings=FEW)
    table = pd.read_csv(tmp_path / "agreement.csv").set_index("measure")
    assert len(table) == 4
    alone = krippendorff_alpha(answers.table, "ordinal", draws=200)
    assert table.loc["Krippendorff's alpha, ordinal", "estimate"] == pytest.approx(alone.estimate)
    write_answers(Output(tmp_path / "one"), ratings(raters=1), settings=FEW)
    assert "No ICC(2), one rating" in notes(tmp_path / "one")


def test_what_was_heard_counts_every_answer(tmp_path, undrawn):
    design = design_of("identification", alternatives="targets")
    answers = simulate_answers(design, RaterWorld({"auto": 2.0}), seed=1)
    write_answers(Output(tmp_path), answers, design=design, settings=FEW)
    heard = pd.read_csv(tmp_path / "heard.csv")
    assert heard["count"].sum() == (answers.table["role"] == "test").sum()
    assert np.allclose(heard.groupby(["condition", "target"])["rate"].sum(), 1)
    rates = pd.read_csv(tmp_path / "identification.csv")
    assert np.allclose(rates["chance"], 1 / 3)


def test_preference_has_a_share_for_each_pair(tmp_path, undrawn):
    design = design_of("preference", contrasts=("auto - none", "natural - none"))
    answers = simulate_answers(design, RaterWorld({"natural": 3.0}), seed=1)
    write_answers(Output(tmp_path), answers, design=design, settings=FEW)
    table = pd.read_csv(tmp_path / "preference.csv").set_index("contrast")["estimate"]
    assert table["natural - none"] > table["auto - none"]


def test_many_conditions_are_compared_where_pairs_are_named(tmp_path, undrawn):
    answers = ratings(conditions=tuple("abcdefg"), clips=2)
    write_answers(Output(tmp_path), answers, settings=FEW)
    assert "7 conditions, and no pair" in notes(tmp_path)
    assert "differences" not in entries(tmp_path)
    named = AnswerSettings(contrasts=("a - c",), draws=200, model=False)
    write_answers(Output(tmp_path / "named"), answers, settings=named)
    assert len(pd.read_csv(tmp_path / "named" / "differences.csv")) == 1


@pytest.mark.parametrize(
    "table",
    [
        pytest.param({"conditions": ("a",)}, id="one condition"),
        pytest.param({"raters": 1}, id="one rater"),
        pytest.param({"clips": 1}, id="one clip a condition"),
        pytest.param({"raters": 2}, id="two raters"),
    ],
)
def test_little_is_no_crash(table, tmp_path, undrawn):
    write_answers(Output(tmp_path), ratings(**table), settings=dataclasses.replace(FEW, model=True))
    assert {"means", "distribution", "raters"} <= set(entries(tmp_path))


def test_constant_ratings_are_no_crash(tmp_path, undrawn):
    answers = ratings()
    constant = dataclasses.replace(answers, table=answers.table.assign(rating=3))
    write_answers(Output(tmp_path), constant, settings=dataclasses.replace(FEW, model=True))
    assert "No mixed model" in notes(tmp_path)


def test_text_of_raters_is_text(tmp_path):
    answers = ratings()
    table = answers.table.replace({"condition": {"a": "<script>alert(1)</script>", "b": "=1+1"}})
    write_answers(Output(tmp_path), dataclasses.replace(answers, table=table), settings=FEW)
    page = write_page(tmp_path, title="Test").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("name", ["set up", "if", "a = b"])
def test_a_column_may_be_called_anything(name, tmp_path, undrawn):
    answers = ratings()
    answers = dataclasses.replace(answers, table=answers.table.rename(columns={"condition": name}))
    write_answers(Output(tmp_path), answers, settings=AnswerSettings(by=name, draws=100))
    assert pd.read_csv(tmp_path / "clmm_means.csv")[name].tolist() == ["a", "b"]


def test_no_table_holds_a_formula(tmp_path, undrawn):
    answers = ratings()
    table = answers.table.replace({"condition": {"a": "=cmd|'/c calc'!A0"}, "rater": {"r1": "@SUM(A1)"}})
    write_answers(Output(tmp_path), dataclasses.replace(answers, table=table), settings=FEW)
    written = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.glob("*.csv")}
    assert "'=cmd|'" in written["means.csv"]
    assert "'@SUM(A1)" in written["raters.csv"]
    assert not [name for name, text in written.items() if any(sign in f"\n{text}" for sign in ("\n=", ",=", "\n@"))]


@pytest.mark.parametrize("value", ["99", "-0", "five", "=1+1"])
def test_problems_show_what_stood_in_the_file(value, tmp_path, undrawn):
    problem = ("a.csv", 7, "r1", "a1", "outside the scale", value, False)
    answers = dataclasses.replace(ratings(), problems=pd.DataFrame([problem], columns=list(PROBLEM_COLUMNS)))
    write_answers(Output(tmp_path), answers, settings=FEW)
    shown = pd.read_csv(tmp_path / "problems.csv", dtype=str)["value"].item()
    assert shown.lstrip("'") == value
    assert "1 of them are left out" in notes(tmp_path)


def test_what_is_missing_is_named(tmp_path, undrawn):
    with pytest.raises(DataError, match=r"system.*rater, clip, condition"):
        write_answers(Output(tmp_path), ratings(), settings=AnswerSettings(by="system"))
    with pytest.raises(ArgumentError, match="'z'"):
        write_answers(Output(tmp_path), ratings(), settings=AnswerSettings(reference="z", draws=200, model=False))
    with pytest.raises(ArgumentError, match="both"):
        AnswerSettings(reference="a", contrasts=("a - b",))
    empty = ratings()
    with pytest.raises(DataError, match="no answers"):
        write_answers(Output(tmp_path), dataclasses.replace(empty, table=empty.table.iloc[:0]))
