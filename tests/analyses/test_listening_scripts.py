"""Scripts on listening tests: simulated raters are named so, real ones are not, and people are one more judge."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from layerstats.cli.demo_listening import VCC_COLUMNS, VCC_PATTERN
from layerstats.listening import make_design
from layerstats.resources import bundled
from layerstats.stats import attempts
from layerstats.store import open_store

KEY = ["set_up", "network", "start"]


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


def test_people_stand_beside_machine_judges(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "stats" / "success"))
    from judged_store import Written

    store = Written(tmp_path / "s.zarr", set_ups=("none", "smooth")).path
    starts = attempts(open_store(store))
    starts = starts.loc[starts["null"] == ""].astype(dict.fromkeys(["target", "judge", *KEY], "str"))
    heard = starts.drop_duplicates(KEY)[[*KEY, "target"]]
    # Two people hear what the first judge recognises, and the third always the word.
    judge = starts["judge"].iloc[0]
    said = heard.merge(starts.loc[starts["judge"] == judge, [*KEY, "response"]].astype("str"), on=KEY)
    parts = [said.assign(rater=f"r{number}") for number in range(2)] + [
        said.assign(rater="r2", response=said["target"])
    ]
    answers = pd.concat(parts).rename(columns={"target": "expected"}).assign(role="test", task="identification")
    answers["clip"] = answers[KEY].agg(" ".join, axis=1)
    answers = answers.assign(condition=answers["set_up"])
    answers.to_csv(tmp_path / "answers.csv", index=False)
    out = tmp_path / "out"
    code, told = run("people", store, tmp_path / "answers.csv", "--out", out, "--draws", 50)
    assert code == 0, told
    found = pd.read_csv(out / "agreement.csv").set_index(["judge", "measure"])["estimate"]
    ranks = found.xs("rank correlation", level="measure").drop("other people").dropna()
    assert ranks.idxmax() == judge
    matrix = pd.read_csv(out / "matrix.csv")
    assert "people" in set(matrix["judge"])
    assert "imulated" not in (out / "manifest.json").read_text(encoding="utf-8")
    strange = answers.assign(start="nobody")
    strange.to_csv(tmp_path / "strange.csv", index=False)
    code, told = run("people", store, tmp_path / "strange.csv", "--out", out)
    assert code == 2
    assert "another store" in told
