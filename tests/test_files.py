"""Files are whole or not there, and what the system says of them is a sentence."""

import errno
import os
import resource

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import FileError, StoreError
from layerstats.files import explaining, plain_stem, replacing
from layerstats.spreadsheets import safe_for_spreadsheets
from layerstats.tables import write_csv


@pytest.fixture
def full_disk():
    """No file grows beyond 20 kB, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, r"No space is left for .*a.txt \(.*\). Nothing was written: make room"),
        (errno.EDQUOT, "No space is left"),
        (errno.EACCES, r"a.txt cannot be written \(Permission denied\). Choose a place that you may write to"),
        (errno.EROFS, "Choose a place that you may write to"),
        (errno.ENAMETOOLONG, "Choose another place"),
    ],
)
def test_reasons_of_the_system(tmp_path, code, message):
    with pytest.raises(FileError, match=message), explaining(tmp_path / "a.txt"):
        raise OSError(code, os.strerror(code))
    with pytest.raises(StoreError, match=message), explaining(tmp_path / "a.txt", StoreError):
        raise OSError(code, os.strerror(code))


def fail_half_way(file, error):
    with replacing(file) as partial:
        partial.write_text("half")
        raise error


def test_an_older_file_stays_where_writing_fails(tmp_path):
    file = tmp_path / "new" / "a.txt"
    with replacing(file) as partial:
        partial.write_text("old")
    for error in (ValueError("of another kind"), OSError(errno.ENOSPC, "full")):
        with pytest.raises((ValueError, FileError)):
            fail_half_way(file, error)
    assert file.read_text() == "old"
    assert os.listdir(file.parent) == ["a.txt"]


def test_a_table_that_does_not_fit_leaves_nothing(tmp_path, full_disk):
    frame = pd.DataFrame({"value": np.random.default_rng(0).normal(size=5000)})
    with pytest.raises(FileError, match="No space is left"):
        write_csv(frame, tmp_path / "out" / "a.csv")
    assert os.listdir(tmp_path / "out") == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileError, match="out cannot be written"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "out" / "a.csv")


def test_compressed_as_its_name_says(tmp_path):
    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "a.csv.gz")
    assert pd.read_csv(tmp_path / "a.csv.gz")["a"].tolist() == [1]


DANGEROUS = ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\uff201"]


@pytest.mark.parametrize("kind", [object, "str", "category"])
def test_text_that_a_spreadsheet_would_run(kind):
    frame = pd.DataFrame({"=note": pd.Series([*DANGEROUS, "fine", None]).astype(kind), "score": -1.5})
    safe = safe_for_spreadsheets(frame)
    assert safe["'=note"].tolist()[:-1] == [*(f"'{text}" for text in DANGEROUS), "fine"]
    assert safe["'=note"].isna().tolist()[-1]
    assert safe["score"].tolist() == frame["score"].tolist()


def test_numbers_and_truth_values_are_as_they_were():
    frame = pd.DataFrame({"a": [-1, 2], "b": [-0.5, np.nan], "c": [True, False], "d": pd.array([-1, None], "Int64")})
    pd.testing.assert_frame_equal(safe_for_spreadsheets(frame), frame)
    mixed = pd.DataFrame({"a": pd.Series([-1, "=1"], dtype=object)})
    assert safe_for_spreadsheets(mixed)["a"].tolist() == [-1, "'=1"]


def test_on_request(tmp_path):
    frame = pd.DataFrame({"label": ["@", "a"], "value": [-1.0, 2.0]})
    write_csv(frame, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "label,value\n@,-1\na,2\n"
    write_csv(frame, tmp_path / "a.csv", spreadsheet=True)
    assert (tmp_path / "a.csv").read_text() == "label,value\n'@,-1\na,2\n"


def test_names_of_any_characters_make_stems_that_no_two_share():
    taken: set[str] = set()
    stems = [plain_stem("heard", name, taken=taken) for name in ("A", "a", "../a", "x" * 300, "x" * 301)]
    assert stems[:2] == ["heard_A", "heard_a_2"]
    assert "/" not in stems[2]
    assert len(set(stems)) == len(stems)
    assert max(map(len, stems)) < 200
