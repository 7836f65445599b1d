"""One R worker: values there and back, R's errors and warnings, processes that end."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, RCrashError, RError, RMemoryError, RNotFoundError, RTimeoutError
from layerstats.rbridge import RSession

pytestmark = pytest.mark.r

GIGABYTE = 2**30


@pytest.fixture(scope="module")
def session():
    with RSession() as running:
        yield running


def test_frame_survives_the_round_trip(session):
    rows = 1500  # long enough for the pooled form of strings
    frame = pd.DataFrame(
        {
            "number": np.linspace(-1, 1, rows),
            "whole": np.arange(rows),
            "flag": np.arange(rows) % 3 == 0,
            "text": pd.Series(["ʃ", "s"] * (rows // 2), dtype="str"),
            "factor": pd.Categorical(["b", "a"] * (rows // 2), categories=["b", "a"]),
            "ordered": pd.Categorical(["b", "a"] * (rows // 2), categories=["b", "a"], ordered=True),
        }
    )
    pd.testing.assert_frame_equal(session.call("identity", x=frame).value, frame)


def test_r_sees_what_was_sent(session):
    frame = pd.DataFrame({"text": ["a", None], "flag": pd.array([True, None], dtype="boolean"), "n": [1.0, np.nan]})
    assert session.call("anyNA", x=frame, recursive=True).value is True
    assert session.call("colSums", x=session.call("is.na", x=frame).value).value.tolist() == [1, 1, 1]
    assert session.call("dim", x=frame).value.tolist() == [2, 3]
    levels = session.call("levels", x=pd.Categorical(["x"], categories=["z", "x"])).value
    assert levels == ["z", "x"]


def test_ordered_factor_has_treatment_contrasts_in_r(session):
    ordered = pd.Categorical(["u", "v", "w"], ordered=True)
    contrasts = session.call("stats::contrasts", x=ordered).value
    assert contrasts.tolist() == [[0, 0], [1, 0], [0, 1]]


def test_lists_keep_their_names_and_matrices_their_order(session):
    matrix = np.arange(6.0).reshape(2, 3)
    value = {"a": [1, 2], "b": None, "c": {"d": "x", "e": [None, "y"]}, "m": matrix}
    back = session.call("identity", x=value).value
    assert list(back) == ["a", "b", "c", "m"]
    assert back["b"] is None
    assert back["c"] == {"d": "x", "e": [None, "y"]}
    assert np.array_equal(back["m"], matrix)
    assert session.call("t", x=matrix).value.tolist() == matrix.T.tolist()


def test_warnings_come_back_with_the_value(session):
    reply = session.call("as.numeric", x="a")
    assert np.isnan(reply.value)
    assert reply.warnings == ("NAs introduced by coercion",)


def test_error_has_message_and_call_and_the_worker_lives_on(session):
    pid = session.call("Sys.getpid").value
    with pytest.raises(RError, match=r"in log\(x = x\): non-numeric argument"):
        session.call("log", x="a")
    assert session.call("Sys.getpid").value == pid


def test_error_does_not_quote_the_data(session):
    with pytest.raises(RError) as caught:
        session.call("fit_model", formula="y ~ s(nowhere)", data=pd.DataFrame({"y": np.arange(5000.0)}))
    assert len(str(caught.value)) < 500


def test_function_that_does_not_exist(session):
    with pytest.raises(RError, match="no_such_function"):
        session.call("no_such_function")


def test_value_that_cannot_travel(session):
    with pytest.raises(RError, match="CLOSXP cannot be returned"):
        session.call("match.fun", FUN="mean")


def test_random_numbers_do_not_depend_on_what_ran_before(session):
    first = session.call("stats::rnorm", n=3).value
    session.call("stats::runif", n=10)
    assert session.call("stats::rnorm", n=3).value.tolist() == first.tolist()


def test_one_blas_thread(session):
    assert session.call("Sys.getenv", x="OPENBLAS_NUM_THREADS").value == "1"


def kill_soon(session, number):
    def kill():
        while session.pid is None:
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(session.pid, number)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_death_in_the_middle_is_named_and_the_next_call_works(number):
    with RSession() as session:
        session.call("identity", x=1)
        thread = kill_soon(session, number)
        with pytest.raises(RCrashError, match=f"calling Sys.sleep.*{number.name}"):
            session.call("Sys.sleep", time=60)
        thread.join()
        assert session.pid is None
        assert session.call("identity", x=1).value == 1


def test_worker_that_died_between_calls_is_replaced():
    with RSession() as session:
        old = session.call("Sys.getpid").value
        os.kill(old, signal.SIGKILL)
        # Until it has ended, however busy the machine is; its exit is left for the session to see.
        os.waitid(os.P_PID, int(old), os.WEXITED | os.WNOWAIT)
        assert session.call("Sys.getpid").value != old


def test_out_of_memory():
    with RSession(memory_limit_bytes=2 * GIGABYTE) as session:
        with pytest.raises(RMemoryError, match="cannot allocate vector of size"):
            session.call("numeric", length=GIGABYTE)
        assert session.call("identity", x=1).value == 1


def test_time_limit():
    with RSession(timeout_s=0.5) as session:  # start-up does not count
        with pytest.raises(RTimeoutError, match=r"Sys\.sleep"):
            session.call("Sys.sleep", time=60)
        assert session.call("identity", x=1).value == 1


@pytest.mark.parametrize("limits", [{"timeout_s": 0}, {"memory_limit_bytes": -1}])
def test_limits_must_be_positive(limits):
    with pytest.raises(ArgumentError, match="must be a positive number"):
        RSession(**limits)


def test_r_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RNotFoundError, match="apt-get install r-base-core r-cran-mgcv"):
        RSession().call("identity", x=1)


def test_r_home_that_is_no_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("R_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(RNotFoundError, match=r"R_HOME is .*nowhere"):
        RSession().call("identity", x=1)


def test_rpy2_that_is_not_there(monkeypatch, tmp_path):
    (tmp_path / "rpy2.py").write_text("raise ImportError('hidden')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RNotFoundError, match=r"hidden.*pip install 'layerstats\[r\]'"):
        RSession().call("identity", x=1)


def test_files_of_the_working_folder_do_not_stand_in_for_modules(monkeypatch, tmp_path):
    (tmp_path / "rpy2.py").write_text("raise ImportError('shadowed')")
    (tmp_path / ".Rprofile").write_text("stop('a profile was read')")
    monkeypatch.chdir(tmp_path)
    with RSession() as session:
        assert session.call("identity", x=1).value == 1


def run_script(tmp_path, text, **keywords):
    script = tmp_path / "script.py"
    script.write_text(text)
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, **keywords)


def wait_until_gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A dead process without a parent that waits for it still has a number.
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


# A test run in the background of a shell ignores interrupts, and so would its children.
SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from layerstats.rbridge import RSession
session = RSession()
print(session.call("Sys.getpid").value, flush=True)
session.call("Sys.sleep", time=60)
"""
POOL_SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from layerstats.rbridge import RPool
pool = RPool(workers=1)
print(pool.call("Sys.getpid").value, flush=True)
pool.map("Sys.sleep", [{"time": 60}] * 3)
"""


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at /proc")
def test_worker_ends_in_the_middle_of_a_call_when_its_parent_dies(tmp_path):
    parent = run_script(tmp_path, SCRIPT)
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.communicate()
    assert wait_until_gone(pid)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at /proc")
@pytest.mark.parametrize("script", [SCRIPT, POOL_SCRIPT], ids=["session", "pool"])
def test_interrupt_ends_the_worker(tmp_path, script):
    parent = run_script(tmp_path, script, stderr=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.send_signal(signal.SIGINT)
    _, errors = parent.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert wait_until_gone(pid)
