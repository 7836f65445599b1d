"""The success script on a small store of outcomes that judges have heard."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from layerstats.store import store_arrays, store_table
from layerstats.tables import check_frame

sys.path.insert(0, str(Path(__file__).parents[1] / "stats" / "success"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    from judged_store import Written

    return Written(tmp_path_factory.mktemp("judged") / "s.zarr", set_ups=("none", "smooth")).path


def read(file):
    return pd.read_csv(file, keep_default_na=False, na_values=[""])


def test_success(judged, make, tmp_path):
    names = make("success", tmp_path, judged)
    assert names >= {
        "matrix",
        "networks",
        "networks_table",
        "success",
        "success_classes",
        "success_by_class",
        "published",
    }
    assert names >= {
        "success_nulls",
        "idiosyncrasy",
        "set_ups",
        "set_ups_table",
        "heard_smooth",
        "scores_none",
        "notes",
    }
    matrix = check_frame(read(tmp_path / "matrix.csv"))
    columns = ["set_up", "network", "target", "judge", "response", "starts", "count", "rate", "mean_score"]
    assert list(matrix.columns)[: len(columns)] == columns
    assert set(matrix["set_up"]) == {"none", "smooth"}
    assert matrix["null_zero_steps"].notna().all()
    check_frame(read(tmp_path / "success.csv").fillna({"null": ""}), "success")


def test_the_other_denominator_and_a_choice(judged, make, tmp_path):
    options = ["--set-ups", "smooth", "--targets", "yes,no", "--denominator", "not the target already"]
    names = make("success", tmp_path, judged, *options, "--judges", "pocketsphinx", "--classes", "drawn")
    assert "set_ups" not in names
    table = read(tmp_path / "success.csv")
    assert set(table["denominator"]) == {"not the target already"}
    assert "other networks" not in set(table["judge"])


def test_confusions_with_natural_words_need_four_classes(judged, make, tmp_path):
    tokens = pd.DataFrame({"token": ["a", "b"], "word": ["no", "yes"], "speaker": "s", "split": "test"})
    natural = store_arrays(tmp_path / "n.zarr", tokens, {"conv1": [[0.0], [1.0]]}, time_s={"conv1": [0.0]})
    heard = pd.DataFrame({"token": ["a", "b"], "judge": "n0", "response": ["no", "no"], "score": [0.5, 0.5]})
    store_table(natural, "judgements", "n0", heard)
    with pytest.raises(AssertionError, match="natural words of 4 or more of its classes"):
        make("success", tmp_path / "out", judged, "--natural", str(natural))


def test_set_ups_of_any_name_have_files_of_their_own(make, tmp_path):
    from judged_store import Written

    store = Written(tmp_path / "s.zarr", set_ups=("from data", "from-data")).path
    names = make("success", tmp_path / "out", store)
    assert names >= {"heard_from-data", "heard_from-data_2", "scores_from-data", "scores_from-data_2"}
    assert set(read(tmp_path / "out" / "matrix.csv")["set_up"]) == {"from data", "from-data"}


def test_people_are_one_more_judge(judged, make, tmp_path):
    from layerstats.stats import attempts
    from layerstats.store import open_store

    starts = attempts(open_store(judged)).drop_duplicates(["set_up", "network", "null", "start"])
    heard = starts.loc[starts["null"] == "", ["set_up", "network", "start", "target"]].astype("str")
    answers = pd.concat([heard.assign(rater=f"r{rater}", clip=heard["start"]) for rater in range(3)])
    answers = answers.assign(response=answers["target"], role="test", task="identification")
    answers.to_csv(tmp_path / "answers.csv", index=False)
    make("success", tmp_path / "out", judged, "--set-ups", "smooth,none", "--people", str(tmp_path / "answers.csv"))
    matrix = check_frame(read(tmp_path / "out" / "matrix.csv"))
    people = matrix[matrix["judge"] == "people"]
    assert (people.loc[people["target"] == people["response"], "rate"] == 1.0).all()
    summary = read(tmp_path / "out" / "success.csv").set_index(["set_up", "null", "measure", "judge"])
    assert summary.xs("people", level="judge")["drawn"].str.endswith("raters").all()
