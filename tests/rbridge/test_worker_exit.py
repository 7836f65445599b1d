"""Telling a lack of memory from another death."""

import signal

import pytest

from layerstats.rbridge.worker_exit import count_memory_kills, describe_exit, was_out_of_memory


@pytest.fixture
def vmstat(tmp_path):
    path = tmp_path / "vmstat"
    path.write_text("pgfault 12\noom_kill 3\nswap_ra 0\n")
    return path


def test_count_of_kills(vmstat, tmp_path):
    assert count_memory_kills(vmstat) == 3
    assert count_memory_kills(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("code", "kills_before", "expected"),
    [
        (-signal.SIGKILL, 2, True),
        (-signal.SIGKILL, 3, False),
        (-signal.SIGSEGV, 2, False),
        (-signal.SIGKILL, None, False),
    ],
)
def test_kill_counts_only_where_the_kernel_says_so(vmstat, code, kills_before, expected):
    assert was_out_of_memory(code, "", kills_before, vmstat) is expected


def test_last_words_of_a_library(vmstat):
    assert was_out_of_memory(1, "OpenBLAS : Memory allocation still failed after 10 retries, giving up.", 3, vmstat)


def test_exit_status_is_told():
    assert describe_exit(3) == "it exited with status 3"
