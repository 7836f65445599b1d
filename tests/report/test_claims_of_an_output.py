"""What an analysis claims, in its folder's files and manifest."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError, LayerstatsError
from layerstats.report import Output
from layerstats.report.manifest import read_manifest

_MADE = runpy.run_path(str(Path(__file__).with_name("claim_frames.py")))
CLAIM, claim_frames = _MADE["CLAIM"], _MADE["claim_frames"]


def test_claims_are_files_and_rows_of_the_manifest(tmp_path):
    output = Output(tmp_path)
    given = claim_frames({}, {"claim_key": "conv4:s-sh", "conf_low": -np.inf, "null_low": np.nan, "null_high": np.nan})
    files = output.claims(given)
    assert str(output) == f"{tmp_path}: 1 table"
    assert (files.csv.name, files.latex.name, files.html.name) == ("claims.csv", "claims.tex", "claims.html")
    pd.testing.assert_frame_equal(
        pd.read_csv(files.csv, keep_default_na=False, na_values={"null_low": "", "null_high": ""}), given.table
    )
    assert len(pd.read_csv(tmp_path / "sensitivity.csv")) == 8
    known = read_manifest(tmp_path)
    assert [entry.files["sensitivity"] for entry in known.entries] == ["sensitivity.csv"]
    table, sensitivity = known.claims.frames()
    pd.testing.assert_frame_equal(table, given.table)
    pd.testing.assert_frame_equal(sensitivity, given.sensitivity)
    # Others than Python read it too.
    json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert known.claims.table[1]["conf_low"] == -math.inf


def test_claims_of_a_second_call_stand_after_the_first(tmp_path):
    output = Output(tmp_path)
    output.claims(claim_frames({}, notes=("One.",)))
    output.claims(claim_frames({"claim_key": "conv4:s-sh"}, notes=("One.", "Two.")))
    claims = read_manifest(tmp_path).claims
    assert [row["claim_key"] for row in claims.table] == ["conv3:s-sh", "conv4:s-sh"]
    assert claims.notes == ("One.", "Two.")
    # An analysis that runs again replaces what it claimed.
    Output(tmp_path).claims(claim_frames({}))
    assert len(read_manifest(tmp_path).claims.table) == 1


def test_no_claims_are_claims_too(tmp_path):
    Output(tmp_path).claims(claim_frames())
    assert read_manifest(tmp_path).claims.table == ()
    assert len(pd.read_csv(tmp_path / "claims.csv")) == 0


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (claim_frames({}, {}), "Two claims have the key 'conv3:s-sh'"),
        (claim_frames({"verdict": "true"}), "must be one of 'holds', 'fails a check', 'not shown'"),
        (claim_frames({"p_adjusted": 1.2}), "'p_adjusted' of the claims table must be at most 1"),
    ],
)
def test_claims_that_cannot_be(tmp_path, claims, message):
    with pytest.raises(DataError, match=message):
        Output(tmp_path).claims(claims)


def test_other_choices_belong_to_a_claim(tmp_path):
    given = claim_frames({})
    given.table["claim_key"] = "another"
    with pytest.raises(DataError, match="Sensitivity is told of 'conv3:s-sh'"):
        Output(tmp_path).claims(given)


def test_a_manifest_from_before_there_were_claims_is_read(tmp_path):
    (tmp_path / "manifest.json").write_text('{"schema": 1, "title": "Old", "entries": [], "provenance": {}}')
    assert read_manifest(tmp_path).title == "Old"
    Output(tmp_path).claims(claim_frames({}))
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["schema"] == 2
    assert read_manifest(tmp_path).claims.table[0]["claim"] == CLAIM["claim"]


def test_claims_that_are_damaged_are_named(tmp_path):
    (tmp_path / "manifest.json").write_text('{"schema": 2, "title": "", "entries": [], "provenance": {}, "claims": []}')
    with pytest.raises(LayerstatsError, match="is damaged"):
        Output(tmp_path)
