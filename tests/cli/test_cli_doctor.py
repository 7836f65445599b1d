"""`layerstats doctor` looks at every extra of pyproject.toml, and says what mends what is missing."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from layerstats.cli import doctor
from layerstats.cli.main import app
from layerstats.rbridge.status import RStatus

ROOT = Path(__file__).resolve().parents[2]


def extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {name: needs for name, needs in project["optional-dependencies"].items() if name != "all"}


def test_every_extra_is_looked_at():
    assert set(doctor.EXTRAS) == set(extras()), "An extra of pyproject.toml needs a line in EXTRAS of doctor.py."


def test_what_is_missing_is_mended(monkeypatch):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    found = {finding.what: finding for finding in doctor._extra_findings()}
    for extra in extras():
        assert not found[f"extra {extra}"].works
        assert found[f"extra {extra}"].mend == f"pip install 'layerstats[{extra}]'"
        assert found[f"extra {extra}"].found.startswith("without ")


def test_without_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = [*doctor._program_findings(), *doctor._r_package_findings(doctor._r_versions())]
    assert {finding.works for finding in found} == {False}
    assert all(finding.mend.startswith("apt-get install ") for finding in found)


@pytest.mark.r
def test_packages_of_r_are_asked_of_r():
    found = {finding.what: finding for finding in doctor._r_package_findings(doctor._r_versions())}
    assert set(found) == {f"R package {name}" for name in doctor.R_PACKAGES}
    assert all(finding.found.startswith("there" if finding.works else "not found") for finding in found.values())


@pytest.mark.r
def test_r_is_found_where_rpy2_is_not(monkeypatch):
    monkeypatch.setattr("layerstats.rbridge.status.r_status", lambda: RStatus(works=False))
    found = {finding.what: finding for finding in doctor._r_findings(doctor._r_versions())}
    assert found["R"].works
    assert found["mgcv"].works
    assert not found["rpy2"].works


def test_as_json(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("LaTeX", False, "not found", "apt-get install x")])
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert told == [{"what": "LaTeX", "works": False, "found": "not found", "mend": "apt-get install x"}]
    assert "mend: apt-get install x" in CliRunner().invoke(app, ["doctor"]).output
