"""Workers of a cluster: versions, deaths, and schedulers that are not there."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from layerstats.errors import ArgumentError, DataError, WorkerError
from layerstats.parallel import TaskFailures, check_client, connected, run_tasks
from layerstats.parallel.versions import versions_here

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.slow


def add(first: int, second: int) -> int:
    return first + second


def refuse_odd(number: int) -> int:
    if number % 2:
        raise DataError(f"{number} is odd.")
    return number


def end_once(folder: str, number: int) -> int:
    mark = os.path.join(folder, "ended")
    if number == 2 and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def end_always(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def add_slowly(number: int) -> int:
    time.sleep(0.3)
    return number


def length(content: bytes, number: int) -> int:
    return len(content) + number


class OtherClient:
    """Stands for a client whose workers have another version of the package, or lack it."""

    asynchronous = False
    status = "running"
    submit = None

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def wait_for_workers(self, count: int, timeout: float) -> None: ...

    def run(self, function, on_error: str) -> dict[str, object]:
        return {"tcp://10.0.0.5:4000": self.answer}


@pytest.fixture(scope="module")
def client():
    # Of a busy machine, on which a worker is not back within 15 s; and of tasks that end their workers few are enough.
    patient = {"distributed.deploy.lost-worker-timeout": "10m", "distributed.scheduler.allowed-failures": 1}
    with (
        dask.config.set(patient),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_results_are_in_the_order_of_tasks(client):
    seen = []
    found = run_tasks(partial(add, 1), list(range(300)), client=client, progress=lambda *done: seen.append(done))
    assert found == list(range(1, 301))
    assert seen[-1] == (300, 300)
    assert len(seen) == 300


def test_a_failed_task_does_not_lose_the_others(client, tmp_path):
    with pytest.raises(TaskFailures, match="2 of 5 tasks failed") as raised:
        run_tasks(refuse_odd, list(range(5)), client=client, describe=lambda task: f"word {task}", keep=tmp_path)
    assert [failure.task for failure in raised.value.failures] == ["word 1", "word 3"]
    assert len(list(tmp_path.glob("*.pickle"))) == 3


def test_what_a_killed_worker_was_at_is_done_again(client, tmp_path):
    assert run_tasks(partial(end_once, str(tmp_path)), list(range(20)), client=client) == list(range(20))


def test_a_task_that_always_ends_its_worker_loses_no_other(client, tmp_path):
    with pytest.raises(WorkerError, match="wall time"):
        run_tasks(end_always, list(range(5)), client=client, keep=tmp_path)
    assert len(list(tmp_path.glob("*.pickle"))) == 4


def test_workers_that_are_gone_for_good_are_told(monkeypatch):
    monkeypatch.setattr("layerstats.parallel.cluster.PATIENCE_S", 2.0)
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(WorkerError, match="no workers left, after 1 of 3 tasks"),
    ):
        run_tasks(add_slowly, [1, 2, 3], client=client, progress=lambda *done: cluster.scale(0))


def test_large_functions_go_without_a_warning(client):
    assert run_tasks(partial(length, bytes(2**24)), [1, 2], client=client) == [2**24 + 1, 2**24 + 2]


def test_workers_with_other_versions_are_refused():
    with pytest.raises(WorkerError, match=r"tcp://10\.0\.0\.5:4000 has other versions: .*, 9\.9 there"):
        check_client(OtherClient({**versions_here(), "layerstats": "9.9"}))
    with pytest.raises(WorkerError, match="cannot import layerstats"):
        check_client(OtherClient(ModuleNotFoundError("layerstats")))
    assert check_client(OtherClient(versions_here())) == 1


def test_a_worker_that_ends_while_it_is_asked_is_none():
    class Ending(OtherClient):
        def run(self, function, on_error: str) -> dict[str, object]:
            asked.append(1)
            ended = {"tcp://10.0.0.5:4001": distributed.comm.CommClosedError("Stream is closed")}
            return ended if len(asked) == 1 else {**ended, **super().run(function, on_error)}

    asked: list[int] = []
    assert check_client(Ending(versions_here())) == 1
    assert len(asked) == 2


def test_a_cluster_without_workers_is_told():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(WorkerError, match=r"no worker after 0\.2 s"),
    ):
        check_client(client, patience_s=0.2)


def test_a_scheduler_that_is_not_there_is_told():
    with (
        pytest.raises(WorkerError, match="No scheduler can be reached at 'tcp:"),
        connected("tcp://127.0.0.1:9", timeout_s=0.5),
    ):
        pass


def test_a_scheduler_file_that_is_not_there_is_told(tmp_path):
    with (
        pytest.raises(WorkerError, match=r"no scheduler file .* after 0\.2 s. Write one with `dask scheduler"),
        connected(str(tmp_path / "scheduler.json"), timeout_s=0.2),
    ):
        pass


def test_without_an_address_there_is_no_client():
    with connected(None) as client:
        assert client is None


def test_other_things_are_no_clients():
    with pytest.raises(ArgumentError, match=r"distributed\.Client, but got int"):
        run_tasks(add, [1], client=3)
