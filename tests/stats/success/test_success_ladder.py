"""Success along the steps and at equal displacement, against the definition and against worlds whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.success import ladder_attempts, success_ladder
from layerstats.store import JudgementWriter, OutcomeWriter, open_store, outcome_variables
from layerstats.tables import check_frame

STEPS = (0, 2, 5, 9)
WORDS = ("no", "yes")


def world(seed, starts=20, set_ups=(("none", 0.3), ("autoencoder", 1.0)), speeds=(0.7, 1.5)):
    """A start is its target once it has gone far enough, which differs between starts, and set-ups by their factor."""
    rng = np.random.default_rng(seed)
    rows = []
    for set_up, factor in set_ups:
        for target in WORDS:
            for number in range(starts):
                needed = rng.uniform(0, 12 if target == "no" else 8, size=2)
                speed = rng.uniform(*speeds)
                for steps in STEPS:
                    gone = speed * steps
                    for judge, far in zip(("net", "ear"), needed, strict=True):
                        heard = target if steps and factor * gone > far else "other"
                        rows.append((set_up, "net", target, f"{target}_{number}", judge, heard, steps, gone, 0.5))
    columns = ["set_up", "network", "target", "start", "judge", "response", "steps", "displacement_heard", "score"]
    return pd.DataFrame(rows, columns=columns)


def by_definition(table, set_up, judge, place):
    """Follow each start until it would go too far, and average over starts, then classes."""
    mine = table[(table["set_up"] == set_up) & (table["judge"] == judge)]
    shares, moved = [], []
    for target in WORDS:
        right = []
        for _, path in mine[mine["target"] == target].groupby("start"):
            last = None
            for row in path.sort_values("steps").itertuples():
                if row.displacement_heard > place:
                    break
                last = row
            right.append(last.response == target)
            moved.append(last.displacement_heard)
        shares.append(np.mean(right))
    return np.mean(shares), np.mean(moved)


def test_curves_are_what_the_definition_says():
    table = world(1)
    ladder = success_ladder(table, displacements=[0, 1.2, 4, 50])
    curves = check_frame(ladder.curves, "ladder").query("measure == 'marginal' and along == 'displacement'")
    assert len(curves) == 2 * 2 * 4
    for row in curves.itertuples():
        judge = "net" if row.judge == "target network" else row.judge
        rate, moved = by_definition(table, row.set_up, judge, row.place)
        assert row.rate == pytest.approx(rate)
        assert row.mean_displacement == pytest.approx(moved)
        assert row.conf_low <= row.rate <= row.conf_high
    along = ladder.curves.query("measure == 'marginal' and along == 'steps' and judge == 'ear'")
    assert along["place"].tolist() == [0, 0, 2, 2, 5, 5, 9, 9]
    assert along["set_up"].tolist() == ["none", "autoencoder"] * 4
    last = table[(table["judge"] == "ear") & (table["steps"] == 9)]
    right = (last["response"] == last["target"]).groupby(last["set_up"]).mean()
    assert along.tail(2)["rate"].tolist() == pytest.approx([right["none"], right["autoencoder"]])


def test_a_path_that_comes_back_ends_where_it_first_goes_too_far():
    table = world(2, starts=1)
    back = table["steps"].map({0: 0.0, 2: 5.0, 5: 1.0, 9: 7.0})
    curves = success_ladder(table.assign(displacement_heard=back), displacements=[3]).curves
    assert curves.query("along == 'displacement'")["mean_displacement"].eq(0).all()


def test_set_ups_are_compared_where_they_have_gone_equally_far():
    table = world(3, starts=60)
    ladder = success_ladder(table)
    ends = table[table["steps"] == 9].groupby("set_up")["displacement_heard"].median()
    contrasts = ladder.contrasts
    assert contrasts["place"].eq(ends.min()).all()
    assert set(zip(contrasts["set_up_1"], contrasts["set_up_2"], strict=True)) == {("autoencoder", "none")}
    row = contrasts.query("measure == 'marginal' and judge == 'ear'").iloc[0]
    rates = [by_definition(table, name, "ear", ends.min())[0] for name in ("autoencoder", "none")]
    assert [row["rate_1"], row["rate_2"]] == pytest.approx(rates)
    assert row["p_adjusted"] < 0.05
    assert "the one that goes least far" in ladder.notes[0]
    turned = success_ladder(table, set_ups=["autoencoder", "none"], at=float(ends.min())).contrasts
    assert turned["difference"].tolist() == pytest.approx((-contrasts["difference"]).tolist())
    assert turned["p_value"].tolist() == pytest.approx(contrasts["p_value"].tolist())


def test_one_set_up_has_curves_and_nothing_to_be_compared_with():
    ladder = success_ladder(world(4, set_ups=(("smooth", 1.0),)))
    assert ladder.contrasts.empty
    assert len(ladder.curves)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    """All starts go equally fast, so that the share at a distance is that of needed distances below it."""
    place, truth = 5.0, np.mean([5 / 12, 5 / 8])
    hits = []
    for seed in range(80):
        table = world(100 + seed, starts=25, set_ups=(("none", 1.0),), speeds=(1.0, 1.0))
        table = table[table["steps"].isin([0, 5])]
        curves = success_ladder(table, displacements=[place]).curves
        row = curves.query("measure == 'marginal' and judge == 'ear' and along == 'displacement'").iloc[0]
        hits.append(row["conf_low"] <= truth <= row["conf_high"])
    # 95 % of 80, give or take three standard errors.
    assert 0.87 <= np.mean(hits) <= 1


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda table: table[table["steps"] > 0], {}, DataError, r"has no row without steps.* \(80 of 80 starts\)"),
        (lambda table: table.drop(columns="steps"), {}, DataError, "steps"),
        (lambda table: table, {"set_ups": ["spectrum"]}, ArgumentError, "no set-up 'spectrum'"),
        (lambda table: table, {"at": -1}, ArgumentError, "0 or more, but got -1"),
    ],
)
def test_what_is_no_ladder_is_refused(change, options, error, message):
    with pytest.raises(error, match=message):
        success_ladder(change(world(5)), **options)


def stored(path, steps_of_sets):
    """Write a set of outcomes for each number of steps, and what one judge says of it."""
    starts = pd.DataFrame({"target": np.repeat(WORDS, 3), "number": np.tile(np.arange(3), 2)})
    starts["start"] = [f"{word}_{number}" for word, number in zip(starts["target"], starts["number"], strict=True)]
    starts = starts.assign(seed=np.arange(6), token="")
    kept = ("displacement_heard", "scores_before", "scores_after")
    variables = [one for one in outcome_variables({"code": 1}, 2) if one.name in kept]
    for steps in steps_of_sets:
        scores = np.full((6, 2), 0.5, dtype="float32")
        scores[:, 1] += 0.1 * (1 if steps else -1)
        values = {"displacement_heard": np.arange(6) * steps / 2, "scores_before": scores, "scores_after": scores}
        about = {"set_up": "none", "network": "net", "null": "", "steps": steps}
        name = f"none.net.{steps:03d}_steps"
        with OutcomeWriter(
            path, name, starts, variables, key=str(steps), attrs=about, coords={"class": ("class", list(WORDS))}
        ) as writer:
            for rows in writer.missing():
                writer.write(rows, {key: value[rows] for key, value in values.items()})
            writer.finish()
        with JudgementWriter(path, name, "ear", ["yes", "no", "up"], key="k") as writer:
            for rows in writer.missing():
                writer.write(rows, {"score": np.full((6, 3), 0.2, dtype="float32")[rows]})
            writer.finish()
    return open_store(path)


def test_a_store_gives_a_row_a_start_judge_and_number_of_steps(tmp_path):
    table = ladder_attempts(stored(tmp_path / "s.zarr", (0, 4)))
    assert len(table) == 6 * 2 * 2
    moved = table[(table["judge"] == "ear") & (table["steps"] == 4)]
    assert moved["displacement_heard"].tolist() == [0, 2, 4, 6, 8, 10]
    assert set(table.loc[(table["judge"] == "net") & (table["steps"] == 4), "response"]) == {"yes"}


def test_a_store_of_one_number_of_steps_is_no_ladder(tmp_path):
    with pytest.raises(DataError, match="one number of steps"):
        ladder_attempts(stored(tmp_path / "s.zarr", (4,)))
