"""Several R workers side by side."""

import subprocess
import sys
import time

import pytest

from layerstats.errors import ArgumentError, RError
from layerstats.rbridge import RPool, default_pool


@pytest.fixture(scope="module")
def pool():
    with RPool(workers=2) as running:
        yield running


@pytest.mark.r
def test_calls_run_side_by_side_on_workers_that_are_reused(pool):
    first = {reply.value for reply in pool.map("Sys.getpid", [{}] * 2)}
    begin = time.perf_counter()
    pool.map("Sys.sleep", [{"time": 1.0}] * 4)
    assert time.perf_counter() - begin < 3.5
    assert len(first) == 2
    assert {reply.value for reply in pool.map("Sys.getpid", [{}] * 4)} <= first


@pytest.mark.r
def test_results_are_in_order(pool):
    replies = pool.map("sum", [{"x": i, "y": 0.5} for i in range(9)], workers=1)
    assert [reply.value for reply in replies] == [i + 0.5 for i in range(9)]


@pytest.mark.r
def test_first_error_in_order_is_raised_and_the_pool_lives_on(pool):
    with pytest.raises(RError, match="non-numeric"):
        pool.map("sqrt", [{"x": 4}, {"x": "a"}, {"x": 9}])
    assert pool.call("sqrt", x=4).value == 2


@pytest.mark.r
def test_closed_pool_starts_again(pool):
    before = pool.call("Sys.getpid").value
    pool.close()
    assert pool.call("Sys.getpid").value != before


def test_default_pool_is_one():
    assert default_pool() is default_pool()


def test_pool_grows_but_never_shrinks():
    pool = RPool(workers=1)
    pool.grow(3)
    pool.grow(2)
    assert pool.workers == 3


def test_number_of_workers_is_checked():
    with pytest.raises(ArgumentError, match="'workers' parameter must be a positive number, but got 0"):
        RPool(workers=0)


def test_neither_importing_nor_making_a_pool_loads_r_or_pandas():
    script = (
        "import sys; import layerstats.rbridge; assert 'pandas' not in sys.modules;"
        "layerstats.rbridge.RPool(); assert not [m for m in sys.modules if m.startswith('rpy2')]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
