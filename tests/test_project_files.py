"""What others read of the project without running it: how to cite it, its types, the forms for issues."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

import layerstats

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def test_the_citation_is_of_this_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"].startswith(f"{PROJECT['name']}: ")
    assert citation["authors"] == PROJECT["authors"]
    assert citation["version"] == PROJECT["version"] == layerstats.__version__
    assert citation["license"] == PROJECT["license"]


def test_types_are_told():
    """Without the marker type checkers take everything that is imported from here for unknown."""
    assert files("layerstats").joinpath("py.typed").is_file()


@pytest.mark.parametrize("form", FORMS, ids=[form.stem for form in FORMS])
def test_forms_are_what_github_shows(form):
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert set(content) == {"name", "description", "labels", "body"}
    identifiers = [field["id"] for field in content["body"]]
    assert len(set(identifiers)) == len(identifiers)
    for field in content["body"]:
        assert field["type"] in {"textarea", "input", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
    assert any(field.get("validations", {}).get("required") for field in content["body"])


def test_there_are_forms_for_what_is_asked():
    assert [form.stem for form in FORMS] == ["bug", "corpus-or-network", "statistics"]
