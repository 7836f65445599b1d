"""Scripts on listening tests: simulated raters are named so, real ones are not, and people are one more judge."""

from __future__ import annotations

import json
import runpy

import numpy as np
import pandas as pd
import pytest
import soundfile

from layerstats.cli.demo_listening import VCC_COLUMNS, VCC_PATTERN
from layerstats.listening import make_design
from layerstats.resources import bundled


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs a script in this process and returns what it said; status 0 or 2."""

    def call(script, *arguments):
        path = str(bundled("analyses", f"{script}.py"))
        monkeypatch.setattr("sys.argv", [path, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(path, run_name="__main__")
        said = capsys.readouterr()
        return (ended.value.code or 0), said.out + said.err

    return call


@pytest.fixture
def design(tmp_path):
    for name in ("new", "old"):
        soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(1600) / (3 if name == "new" else 5)), 16000)
    rows = [(f"{name}{k}", f"{name}.wav", name, "yes" if k % 2 else "no") for name in ("new", "old") for k in range(6)]
    clips = pd.DataFrame(rows, columns=["clip", "file", "condition", "target"])
    made = make_design(
        clips, raters_per_clip=8, trials_per_session=6, catch=0, rules=[], contrasts=["new - old"], folder=tmp_path
    )
    made.write(tmp_path / "design")
    return tmp_path / "design"


def test_what_was_put_in_is_found_and_named_as_simulated(run, design, tmp_path):
    out = tmp_path / "out"
    code, said = run("listening", design, "--out", out, "--effects", "new=4", "--draws", 200, "--classes", "target")
    assert code == 0, said
    entries = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]
    assert all("imulated" in entry["title"] for entry in entries if entry["kind"] != "text")
    difference = pd.read_csv(out / "clmm_contrasts.csv").iloc[0]
    assert (difference["level_1"], difference["level_2"]) == ("new", "old")
    assert difference["conf_low"] > 0.5
    assert set(pd.read_csv(out / "answers.csv")["rater"].str[:15]) == {"simulated rater"}
    assert run("listening", design, "--out", out, "--effects", "newer=4")[0] == 2
    assert run("listening", design, "--out", out, "--effects", "new")[0] == 2


@pytest.mark.slow
@pytest.mark.realdata
def test_systems_of_vcc_2018_are_as_published(run, real_data, tmp_path):
    folder, out = real_data("ratings", "vcc2018"), tmp_path / "out"
    parts = [pd.read_csv(folder / f"vcc2018_{part}_data.csv") for part in ("training", "valid", "testing")]
    table = tmp_path / "vcc2018.csv"
    pd.concat(parts).to_csv(table, index=False)
    columns = ("--columns", VCC_COLUMNS, "--clip-pattern", VCC_PATTERN, "--condition", "track,team")
    options = ("--published", folder / "vcc2018_system.csv", "--draws", 100, "--no-model")
    code, said = run("ratings", table, "--out", out, *columns, *options)
    assert code == 0, said
    both = pd.read_csv(out / "published.csv")
    assert len(both) == 38
    assert np.corrcoef(both["estimate"], both["published"])[0, 1] > 0.999
    page = (out / "manifest.json").read_text(encoding="utf-8")
    assert "imulated" not in page
