import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.proportions import wilson_interval
from layerstats.stats.success import attempts_from_frame, success_matrix, success_rates


@pytest.fixture
def frame(make_frame):
    return pd.concat(
        [
            make_frame(),
            make_frame(null="zero_steps", own=0.25, other=0.25, seed=1),
            make_frame(networks=3, null="untrained", own=0.9, other=0.2, seed=2, prefix="untrained"),
        ]
    )


def test_cells_and_margins_are_means_of_cells(frame):
    matrix = success_matrix(attempts_from_frame(frame)).networks
    table = matrix.pivot_table(index="network", columns="judge", values="rate")
    real = frame[frame["null"] == ""]
    cells = (real["response"] == real["target"]).groupby([real["network"], real["judge"]]).mean()
    for (network, judge), rate in cells.items():
        assert table.loc[network, judge] == pytest.approx(rate)
    names = [f"net{number}" for number in range(4)]
    own = table.loc[names, names].to_numpy()
    others = own[~np.eye(4, dtype=bool)]
    assert table.loc["all networks", "other networks"] == pytest.approx(others.mean())
    assert table.loc["net1", "other networks"] == pytest.approx(np.delete(own[1], 1).mean())
    assert table.loc["all networks", "net1"] == pytest.approx(np.delete(own[:, 1], 1).mean())
    summary = success_rates(attempts_from_frame(frame)).summary
    mean = summary[(summary["null"] == "") & (summary["judge"] == "other networks")].iloc[0]
    last = matrix[(matrix["network"] == "all networks") & (matrix["judge"] == "other networks")].iloc[0]
    for name in ("rate", "conf_low", "conf_high", "drawn", "mean_score", "null_zero_steps", "null_untrained"):
        assert mean[name] == last[name]
    single = matrix[matrix["network"].isin(names) & matrix["judge"].isin(names)]
    assert set(single["drawn"]) == {"starts"}


def test_a_null_that_no_other_network_judged_has_no_mean_over_others():
    said = {"": ("a", "b", "recogniser"), "untrained": ("fresh", "recogniser")}
    rows = [
        (null, network, target, f"{target}_{number}", judge, target if number % 2 else "yes")
        for null, networks in (("", ("a", "b")), ("untrained", ("fresh",)))
        for network in networks
        for target in ("no", "yes")
        for number in range(4)
        for judge in said[null]
    ]
    attempts = attempts_from_frame(
        pd.DataFrame(rows, columns=["null", "network", "target", "start", "judge", "response"])
    )
    table = success_rates(attempts).summary
    judges = table.groupby("null")["judge"].unique()
    assert "other networks" in judges[""]
    assert "other networks" not in judges["untrained"]
    cells = success_matrix(attempts).networks.set_index(["network", "judge"])
    assert cells.loc[("all networks", "recogniser"), "null_untrained"] == 0.75
    assert np.isnan(cells.loc[("all networks", "other networks"), "null_untrained"])


def test_nulls_stand_beside_cells(frame):
    matrix = success_matrix(attempts_from_frame(frame)).networks.set_index(["network", "judge"])
    null = frame[frame["null"] == "zero_steps"]
    rates = (null["response"] == null["target"]).groupby([null["network"], null["judge"]]).mean()
    assert matrix.loc[("net0", "net1"), "null_zero_steps"] == pytest.approx(rates["net0", "net1"])
    null = frame[frame["null"] == "untrained"]
    rates = (null["response"] == null["target"]).groupby([null["network"], null["judge"]]).mean()
    own = np.mean([rates[name, name] for name in ("untrained0", "untrained1", "untrained2")])
    other = np.mean([rates[name, "net1"] for name in ("untrained0", "untrained1", "untrained2")])
    assert matrix.loc[("net0", "net0"), "null_untrained"] == pytest.approx(own)
    assert matrix.loc[("net0", "net1"), "null_untrained"] == pytest.approx(other)


def test_what_was_heard_is_counted(frame):
    heard = success_matrix(attempts_from_frame(frame)).heard
    real = frame[frame["null"] == ""]
    counts = real.groupby(["network", "judge", "target", "response"]).size()
    table = heard.set_index(["network", "judge", "target", "response"])
    assert table["count"].sum() == counts.sum()
    assert (table["starts"] == 20).all()
    for place, count in counts.items():
        assert table.loc[place, "count"] == count
        ends = wilson_interval(np.array([count]), np.array([20]))
        assert table.loc[place, ["conf_low", "conf_high"]].tolist() == [float(end[0]) for end in ends]
    assert np.allclose(heard.groupby(["network", "judge", "target"])["rate"].sum(), 1)
    null = frame[(frame["null"] == "zero_steps") & (frame["network"] == "net2") & (frame["judge"] == "net0")]
    rate = ((null["target"] == "word1") & (null["response"] == "word1")).sum() / 20
    assert table.loc[("net2", "net0", "word1", "word1"), "null_zero_steps"] == rate
    own = heard["response"] == heard["target"]
    scored = heard["judge"] != "pocketsphinx"
    assert heard.loc[own & scored, "mean_score"].notna().all()
    assert heard.loc[~own | ~scored, "mean_score"].isna().all()


def test_mean_scores_of_all_responses(frame):
    table = attempts_from_frame(frame)
    pairs = table[["set_up", "null", "network", "judge", "target"]].astype(str).drop_duplicates()
    scores = pairs[pairs["judge"] == "net1"].merge(pd.DataFrame({"response": ["word0", "silence"]}), how="cross")
    heard = success_matrix(table, scores.assign(mean_score=0.125)).heard
    given = heard[(heard["judge"] == "net1") & heard["response"].isin(["word0", "silence"])]
    assert (given["mean_score"] == 0.125).all()
    assert (given.loc[given["response"] == "silence", "count"] == 0).all()
    assert heard.loc[heard["judge"] == "net0", "mean_score"].isna().all()
    with pytest.raises(DataError, match="'mean_score' is not in the mean scores"):
        success_matrix(table, scores)


def test_people_are_one_judge(make_frame):
    frame = make_frame(networks=1, own=1.0).assign(rater="")
    people = frame[frame["judge"] == "pocketsphinx"].assign(judge="people")
    right, wrong = people.assign(response=people["target"], rater="a"), people.assign(response="noise", rater="b")
    heard = success_matrix(attempts_from_frame(pd.concat([frame, right, wrong]))).heard
    rows = heard[heard["judge"] == "people"].set_index(["target", "response"])
    assert rows.loc[("word1", "noise"), "rate"] == 0.5
    assert rows.loc[("word1", "word1"), "count"] == 10
    assert rows.loc[("word1", "word1"), "starts"] == 20
