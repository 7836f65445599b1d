"""The one seam: the same results here, on threads, in processes, and by a cluster."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from layerstats.errors import ArgumentError, DataError, WorkerError
from layerstats.parallel import TaskFailures, run_tasks
from layerstats.parallel.kept import Kept


def power(base: float, exponent: int) -> float:
    return base**exponent


def refuse_odd(number: int) -> int:
    if number % 2:
        raise DataError(f"{number} is odd.")
    return number


def refuse(number: int) -> int:
    raise DataError("The table has no rows.")


class OtherError(Exception):
    """Cannot be unpickled: it asks for two arguments and keeps one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def fail_strangely(number: int) -> int:
    raise OtherError(f"number {number}", "")


def end_once(folder: str, number: int) -> int:
    """End the process at the first call with 2, as the system does when memory runs out."""
    mark = os.path.join(folder, "ended")
    if number == 2 and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def end_always(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def count_calls(folder: str, number: int) -> int:
    with open(os.path.join(folder, str(number)), "a") as file:
        file.write("x")
    return number * number


@pytest.mark.parametrize("how", [{}, {"workers": 3, "threads": True}, {"workers": 2}])
def test_results_are_in_the_order_of_tasks(how):
    seen = []
    found = run_tasks(partial(power, 2.0), list(range(9)), progress=lambda *done: seen.append(done), **how)
    assert found == [2.0**number for number in range(9)]
    assert seen == [(done, 9) for done in range(1, 10)]


def test_no_tasks_have_no_results():
    assert run_tasks(refuse, [], workers=2) == []


@pytest.mark.parametrize("how", [{}, {"workers": 2, "threads": True}, {"workers": 2}])
def test_a_failed_task_does_not_lose_the_others(how, tmp_path):
    with pytest.raises(TaskFailures, match="2 of 5 tasks failed") as raised:
        run_tasks(refuse_odd, list(range(5)), describe=lambda task: f"word {task}", keep=tmp_path, **how)
    assert [failure.task for failure in raised.value.failures] == ["word 1", "word 3"]
    assert "word 3: 3 is odd." in str(raised.value)
    assert len(list(tmp_path.glob("*.pickle"))) == 3


@pytest.mark.parametrize("how", [{}, {"workers": 2, "threads": True}, {"workers": 2}])
def test_one_reason_is_raised_as_it_is(how):
    with pytest.raises(DataError, match="no rows"):
        run_tasks(refuse, [1, 2, 3], **how)
    with pytest.raises(DataError, match="3 is odd") as raised:
        run_tasks(refuse_odd, [2, 3, 4], **how)
    assert raised.value.__notes__[0] == "In task 2 of 3."


def test_errors_that_cannot_travel_are_told():
    with pytest.raises(TaskFailures, match="OtherError: number 2"):
        run_tasks(fail_strangely, [1, 2], workers=2)


def test_what_a_killed_process_was_at_is_done_again(tmp_path):
    assert run_tasks(partial(end_once, str(tmp_path)), list(range(5)), workers=2) == list(range(5))


@pytest.mark.slow
def test_a_task_that_always_ends_its_process_loses_no_other(tmp_path):
    with pytest.raises(WorkerError, match="fewer workers") as raised:
        run_tasks(end_always, list(range(5)), workers=2, keep=tmp_path)
    assert "In task 3 of 5." in raised.value.__notes__[0]
    assert len(list(tmp_path.glob("*.pickle"))) == 4


def test_functions_that_cannot_be_sent_are_refused():
    with pytest.raises(ArgumentError, match="level of a module"):
        run_tasks(lambda number: number, [1, 2], workers=2)
    assert run_tasks(lambda number: number, [1, 2], workers=2, threads=True) == [1, 2]


@pytest.mark.parametrize("workers", [0, -1, 1.5])
def test_workers_are_a_count(workers):
    with pytest.raises(ArgumentError, match="workers"):
        run_tasks(refuse, [1], workers=workers)


def test_kept_results_are_not_computed_again(tmp_path):
    calls, kept = tmp_path / "calls", tmp_path / "kept"
    calls.mkdir()
    count = partial(count_calls, str(calls))
    assert run_tasks(count, [1, 2], keep=kept) == [1, 4]
    seen = []
    assert run_tasks(count, [1, 2, 3], keep=kept, progress=lambda *done: seen.append(done)) == [1, 4, 9]
    assert seen == [(2, 3), (3, 3)]
    assert {file.name: file.read_text() for file in calls.iterdir()} == {"1": "x", "2": "x", "3": "x"}


def test_kept_results_that_are_not_whole_are_computed_again(tmp_path):
    assert run_tasks(partial(power, 3.0), [2], keep=tmp_path) == [9.0]
    (file,) = tmp_path.glob("*.pickle")
    file.write_bytes(file.read_bytes()[:-4])
    assert run_tasks(partial(power, 3.0), [2], keep=tmp_path) == [9.0]


def test_results_of_other_functions_are_not_taken(tmp_path):
    Kept(tmp_path, partial(power, 2.0)).write(2, "wrong")
    assert run_tasks(partial(power, 3.0), [2], keep=tmp_path) == [9.0]


def test_results_of_other_versions_are_not_taken(tmp_path, monkeypatch):
    run_tasks(partial(power, 2.0), [2], keep=tmp_path)
    monkeypatch.setattr("layerstats.parallel.kept.versions_here", lambda: {"layerstats": "0"})
    run_tasks(partial(power, 2.0), [2], keep=tmp_path)
    assert len(list(tmp_path.glob("*.pickle"))) == 2


def test_stopping_does_not_wait_for_the_others():
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(time.sleep, [0.01, 60.0, 60.0], workers=2, progress=stop)
    assert time.monotonic() - start < 30
