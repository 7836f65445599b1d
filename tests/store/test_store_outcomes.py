"""Outcomes of maximizations: in blocks of starts, in any order, killed at any moment, to the same bytes."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from outcome_recorder import ATTRS, CLASSES, STARTS, VARIABLES, all_values, open_writer, record
from recorder import TOKENS, contents
from recorder import record as record_layers

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.store import VariableSpec, check_store, describe, open_store, outcome_variables, store_table

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    path = tmp_path_factory.mktemp("outcomes") / "s.zarr"
    record(path)
    return contents(path)


def start(path, *command):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    return subprocess.Popen([sys.executable, *command, str(path)], env=environment, stderr=subprocess.DEVNULL)


def test_outcomes_come_back_as_given(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    experiment = open_store(path)
    (listed,) = experiment.outcomes.to_dict("records")
    assert {name: listed[name] for name in ("name", "starts", "written", "complete", *ATTRS)} == {
        **ATTRS, "name": "autoencoder.n0", "starts": 12, "written": 12, "complete": True,
    }  # fmt: skip
    dataset = experiment.outcome()
    assert list(dataset.data_vars) == [variable.name for variable in VARIABLES]
    assert {name: dataset[name].dims for name in ("codes_after", "scores_before", "objective_path", "steps")} == {
        "codes_after": ("start", "code"),
        "scores_before": ("start", "class"),
        "objective_path": ("start", "step"),
        "steps": ("start",),
    }
    for name, values in all_values().items():
        wanted = np.where(pd.isna(values), "", values) if name == "noted" else values
        np.testing.assert_array_equal(dataset[name].to_numpy(), wanted)
    pd.testing.assert_frame_equal(
        dataset[list(STARTS)].to_dataframe().reset_index(), STARTS.fillna(""), check_dtype=False
    )
    assert dataset["class"].to_numpy().tolist() == CLASSES
    assert dataset.attrs["set_up"] == "autoencoder"
    one = experiment.outcome(set_up="autoencoder", network="n0").sel({"start": "ja_00003", "class": "ö"})
    assert float(one["scores_after"]) == all_values()["scores_after"][7, 2]
    assert check_store(path) == []
    shown = describe(path)["Outcomes"]
    assert shown.equals(experiment.outcomes[list(shown.columns)])
    assert len(experiment.tokens) == 0
    assert experiment.recordings.empty


def test_nothing_is_read_before_it_is_used(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    (path / "outcomes/autoencoder.n0/codes_after/c/0/0").write_bytes(b"")
    dataset = open_store(path).outcome()
    assert dataset["scores_after"].shape == dataset["scores_after"].to_numpy().shape
    with pytest.raises(StoreError, match=r"codes_after/c/0/0 is empty\. Remove the folder .*autoencoder.n0 and run"):
        dataset["codes_after"].to_numpy()


def test_xarray_shows_them_without_a_word(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    with xr.open_datatree(path, engine="zarr") as tree:
        shown = tree["outcomes/autoencoder.n0"]
        assert list(shown.data_vars) == [variable.name for variable in VARIABLES]
        assert {"start", "target", "seed", "class"} <= set(shown.coords)
        np.testing.assert_array_equal(shown["scores_after"], all_values()["scores_after"])
        assert shown["displacement"].attrs["long_name"].startswith("distance from the beginning")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_gives_the_same_bytes(tmp_path, unbroken, order):
    path = tmp_path / "s.zarr"
    record(path, order)
    assert contents(path) == unbroken


def test_the_same_call_does_nothing(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path)
    with open_writer(path, created_at="2030-01-01T00:00:00Z") as writer:
        assert writer.complete
        assert list(writer.missing()) == []
        assert writer.written == [slice(0, 12)]
        writer.finish()
    assert contents(path) == unbroken


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import outcome_recorder
left = [{number}]
original = os.replace
def killing(*arguments):
    if left[0] == 0:
        {after}os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return original(*arguments)
os.replace = killing
outcome_recorder.record(Path(sys.argv[1]))
"""


def test_killed_at_renamings_all_over_the_run_is_bit_identical(tmp_path, unbroken):
    path, number, killed = tmp_path / "s.zarr", 0, 0
    for after in itertools.cycle(["", "original(*arguments); "]):
        ended = start(path, "-c", KILLED_AT.format(number=number, after=after)).wait()
        assert ended in (0, -signal.SIGKILL)
        killed += ended != 0
        if ended == 0:
            break
        # A little further each time, from what the last one left.
        number += 17
    assert killed >= 3
    assert contents(path) == unbroken
    assert check_store(path) == []


def test_two_writers_at_once_give_what_one_gives(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    writers = [start(path, str(HERE / "outcome_recorder.py")) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert contents(path) == unbroken


def test_a_writer_takes_over_what_another_had_claimed(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    with open_writer(path) as mine:
        claims = mine.missing()
        next(claims)
        other = start(path, str(HERE / "outcome_recorder.py"))
        time.sleep(1.5)
        assert other.poll() is None
        # Whoever claimed the block ends without having written it.
        claims.close()
    assert other.wait() == 0
    assert contents(path) == unbroken


def test_machines_can_share_the_blocks(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    with open_writer(path) as writer:
        assert [rows.start for rows in writer.missing(part=(1, 2))] == [5]
        assert [rows.start for rows in writer.missing(part=(0, 2))] == [0, 10]
        for part in [(1, 2), (0, 2)]:
            for rows in writer.missing(part=part):
                writer.write(rows, {name: values[rows] for name, values in all_values().items()})
        writer.finish()
    assert contents(path) == unbroken


def test_half_written_outcomes_are_refused_unless_allowed(tmp_path):
    path = tmp_path / "s.zarr"
    record(path, order=[1], stop_after=1)
    assert check_store(path) == []
    assert open_store(path).outcomes[["written", "complete"]].to_numpy().tolist() == [[5, False]]
    with pytest.raises(StoreError, match=r"'autoencoder.n0' .* half-written: 5 of 12 starts\. Run the call"):
        open_store(path).outcome()
    dataset = open_store(path, incomplete="allow").outcome()
    np.testing.assert_array_equal(dataset["codes_after"], all_values()["codes_after"][5:10])
    with open_writer(path) as writer, pytest.raises(StoreError, match="5 of 12 starts and cannot be finished"):
        writer.finish()


def test_another_key_or_other_starts_are_refused_and_nothing_is_overwritten(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    before = contents(path)
    with pytest.raises(StoreError, match=r"another set of outcomes 'autoencoder.n0' \(network_hash: None there,"):
        open_writer(path, key="other", attrs={**ATTRS, "network_hash": "x"})
    with pytest.raises(StoreError, match="starts_hash"):
        open_writer(path, starts=STARTS.iloc[:5])
    assert contents(path) == before
    record(path, key="other", overwrite=True)
    assert open_store(path).outcomes["key"].tolist() == ["other"]
    assert check_store(path) == []


def test_several_sets_are_told_apart(tmp_path):
    path = tmp_path / "s.zarr"
    for set_up, network in itertools.product(["noise", "codes"], ["n0", "n1"]):
        record(path, name=f"{set_up}.{network}", attrs={"set_up": set_up, "network": network})
    experiment = open_store(path)
    assert experiment.outcomes["name"].tolist() == ["codes.n0", "codes.n1", "noise.n0", "noise.n1"]
    assert experiment.outcome(set_up="noise", network="n1").attrs["network"] == "n1"
    with pytest.raises(ArgumentError, match=r"2 outcomes .* are so \(set_up='noise'\). There are: 'noise.n0', 'n"):
        experiment.outcome(set_up="noise")
    with pytest.raises(
        ArgumentError, match=r"holds 4 outcomes \(say which: set_up=, network=\). There are: 'codes.n0', "
    ):
        experiment.outcome()
    with pytest.raises(ArgumentError, match=r"has no such outcomes \(network='n2'\). There are: 'codes.n0', "):
        experiment.outcome(network="n2")


def test_nulls_are_meant_where_they_are_asked_for(tmp_path):
    path = tmp_path / "s.zarr"
    for null in ("zero_steps", "untrained"):
        record(path, name=f"autoencoder.n0.{null}", attrs={**ATTRS, "null": null})
    with pytest.raises(ArgumentError, match=r"2 outcomes of .* are so"):
        open_store(path).outcome(network="n0")
    record(path)
    experiment = open_store(path)
    assert experiment.outcome(network="n0").attrs["null"] == ""
    assert experiment.outcome(network="n0", null="untrained").attrs["null"] == "untrained"
    assert experiment.outcome("autoencoder.n0.zero_steps").attrs["null"] == "zero_steps"


def test_a_store_without_clips_takes_the_first_that_come(tmp_path, unbroken):
    path = tmp_path / "s.zarr"
    record(path)
    record_layers(path)
    experiment = open_store(path)
    assert experiment.tokens["token"].tolist() == TOKENS["token"].tolist()
    assert experiment.recordings["recording"].tolist() == ["activations"]
    assert experiment.outcomes["starts"].tolist() == [12]
    assert check_store(path) == []
    with pytest.raises(StoreError, match="holds other clips"):
        open_writer(path, name="other", tokens=TOKENS.iloc[:4])
    record(path, name="other", attrs={**ATTRS, "set_up": "other"})
    heard = pd.DataFrame({"token": ["t1"], "judge": "J", "response": "ask", "score": 0.5})
    store_table(path, "judgements", "J", heard)
    assert len(open_store(path).table("judgements", "J")) == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"starts": STARTS.drop(columns="seed")}, DataError, "Column 'seed' is not in the starts of 'autoencoder.n0'"),
        ({"starts": STARTS.assign(start="a")}, DataError, "'start' .* holds 'a' more than once"),
        ({"starts": STARTS.assign(target=None)}, DataError, "target"),
        ({"starts": STARTS.assign(seed=0.5)}, DataError, "'seed' .* whole numbers"),
        ({"starts": STARTS.iloc[:0]}, DataError, "no starts"),
        ({"starts": STARTS.assign(success=True)}, DataError, "'success' follows from the scores"),
        ({"variables": [VariableSpec("success", ("start",))]}, DataError, "'success' follows from the scores"),
        ({"variables": [VariableSpec("seed", ("start",))]}, ArgumentError, "two things called 'seed'"),
        ({"variables": []}, ArgumentError, "at least one variable"),
        ({"variables": [VariableSpec("mean")]}, ArgumentError, "'mean' must have 'start' as its first"),
        ({"coords": {"class": ("class", ["a"])}}, ArgumentError, "a value for each 'class'"),
        ({"attrs": {"set_up": "a"}}, ArgumentError, "attribute 'network' of 'autoencoder.n0' must be text"),
        ({"attrs": {**ATTRS, "complete": True}}, ArgumentError, "'complete' .* is the store's own"),
        ({"shard_starts": 0}, ArgumentError, "shard_starts"),
        ({"name": "a/b"}, ArgumentError, "cannot be called 'a/b'"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        open_writer(tmp_path / "s.zarr", **options)
    assert not (tmp_path / "s.zarr/outcomes").exists()


def test_what_is_written_must_be_what_was_announced(tmp_path):
    with open_writer(tmp_path / "s.zarr") as writer:
        rows = next(iter(writer.missing()))
        block = {name: values[rows] for name, values in all_values().items()}
        with pytest.raises(ArgumentError, match=r"codes_after must have the shape \(5, 6\) \(start 5, code 6\), but"):
            writer.write(rows, {**block, "codes_after": np.zeros((5, 7))})
        with pytest.raises(ArgumentError, match=r"missing or unknown: \['other'\]"):
            writer.write(rows, {**block, "other": np.zeros(5)})
        with pytest.raises(ArgumentError, match=r"are no shard .* have 5 starts"):
            writer.write(slice(0, 4), block)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda group: (group / "codes_after/c/1/0").unlink(), "codes_after/c/1/0 is missing"),
        (lambda group: (group / "steps/c/2").write_bytes(b""), "steps/c/2 is empty"),
        (lambda group: (group / "steps/c/2").write_bytes(b"x" * 30), "steps/.* cannot be decoded"),
        (lambda group: (group / "target/c/0").unlink(), "target/c/0 is missing"),
        (lambda group: (group / "start/zarr.json").unlink(), "start/zarr.json is missing"),
        (lambda group: swap(group / "target/c/0", group / "token/c/0"), "other starts than were written"),
    ],
)
def test_damage_is_found_and_told_what_mends_it(tmp_path, damage, message):
    path = tmp_path / "s.zarr"
    record(path)
    damage(path / "outcomes/autoencoder.n0")
    problems = check_store(path)
    assert len(problems) == 1, problems
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(problems[0])
    assert "run the call that wrote" in problems[0] or "Remove the folder" in problems[0]


def swap(one, other):
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def test_a_finished_set_that_lost_a_block_is_not_taken_for_finished(tmp_path):
    path = tmp_path / "s.zarr"
    record(path)
    (path / "outcomes/autoencoder.n0/steps/c/1").unlink()
    with pytest.raises(StoreError, match="steps/c/1 is missing"):
        open_writer(path)


def test_usual_variables_are_called_after_what_is_optimised():
    names = [[one.name for one in outcome_variables(axes, 2)][6:8] for axes in ({"code": 2}, {"time": 2, "mel": 3})]
    assert names == [["codes_before", "codes_after"], ["features_before", "features_after"]]
    (features,) = [one for one in outcome_variables({"sample": 9}, 2) if one.name == "features_after"]
    assert features.dimensions == ("start", "sample")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_starts(tmp_path):
    """Peak of a process that writes and reads in blocks, with ten times the starts: but for the table of the starts."""
    script = textwrap.dedent("""
        import resource, sys
        import numpy as np, pandas as pd
        from layerstats.store import OutcomeWriter, open_store, outcome_variables
        count = int(sys.argv[2])
        starts = pd.DataFrame({"start": [f"a_{i}" for i in range(count)], "target": "a", "number": range(count)})
        starts = starts.assign(seed=starts["number"], token="")
        variables = outcome_variables({"code": 256}, classes=35)
        about = {"key": "k", "attrs": {"set_up": "s", "network": "n"}, "shard_starts": 500}
        with OutcomeWriter(sys.argv[1], "s.n", starts, variables, **about) as writer:
            for rows in writer.missing():
                sizes = {name: (500, *variable.sizes.values()) for name, variable in writer.variables.items()}
                writer.write(rows, {name: np.random.default_rng(0).normal(size=size) for name, size in sizes.items()})
            writer.finish()
        dataset = open_store(sys.argv[1]).outcome()
        for first in range(0, count, 500):
            dataset["codes_after"][first:first + 500].to_numpy()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """)
    peaks = []
    for count in (2000, 20000):
        command = [sys.executable, "-c", script, str(tmp_path / f"{count}.zarr"), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
        peaks.append(int(done.stdout) / 1024)
    # 18,000 starts of 256 codes before and after are 37 MB, with scores 42.
    assert peaks[1] - peaks[0] < 15
