"""`layerstats listen page` and `serve`: from a design to answers that are read again."""

from __future__ import annotations

import http.client
import json
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import ArgumentError, MissingFileError
from layerstats.listening import read_design

_ROOM = Path(__file__).resolve().parents[1] / "listening" / "page"
written_design = runpy.run_path(str(_ROOM / "small_designs.py"))["written_design"]


def run(*arguments):
    return CliRunner().invoke(app, ["listen", *map(str, arguments)], catch_exceptions=False)


def submission(design, session):
    when = "2026-11-26T16:40:00.000Z"
    roles = design.clips.set_index("clip")["role"]
    clips = design.trials.loc[design.trials["session"] == session].sort_values("position")["clip"]
    answers = [{"clip": clip, "position": place, "training": roles[clip] == "training", "rating": 2 + place % 3,
                "seconds": 2.5, "plays": 1, "answered_at": when} for place, clip in enumerate(clips, 1)]  # fmt: skip
    return {"format": "layerstats listening answers 1", "design_hash": design.hash, "submission": f"{session:032x}",
            "task": "opinion", "session": session, "rater": f"rater {session}", "comment": "=HYPERLINK(1) <b>x</b>",
            "started_at": when, "finished_at": when, "answers": answers}  # fmt: skip


def test_the_page_is_written_where_it_is_asked_for(tmp_path):
    folder = written_design(tmp_path, "preference")
    done = run("page", folder, "--out", tmp_path / "page", "--post-to", "https://example.org/answers",
               "--completion-code", "C0DE", "--completion-url", "https://app.prolific.com/submissions/complete",
               "--headphones", "none", "--embed")  # fmt: skip
    page = tmp_path / "page" / "index.html"
    assert done.output.strip() == str(page)
    text = page.read_text("utf-8")
    for said in ('"post_to": "https://example.org/answers"', '"C0DE"', '"headphones": null', "data:audio/wav;base64,"):
        assert said in text
    with pytest.raises(ArgumentError, match="--overwrite"):
        run("page", folder, "--out", tmp_path / "page")
    run("page", folder, "--out", tmp_path / "page", "--overwrite")
    assert len(list((tmp_path / "page" / "sounds").iterdir())) == 5 + 6
    with pytest.raises(MissingFileError):
        run("page", tmp_path / "no design", "--out", tmp_path / "other")


def test_answers_that_were_served_and_kept_are_read_with_their_design(tmp_path):
    folder = written_design(tmp_path, "opinion")
    design = read_design(folder)
    command = [sys.executable, "-m", "layerstats.cli", "listen", "serve", str(folder), "--out",
               str(tmp_path / "answers"), "--port", "0", "--completion-code", "C0DE",
               "--completion-url", "https://app.prolific.com/x?cc=C0DE"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline()
            address = re.match(r"http://(127\.0\.0\.1):(\d+)/ shows the test", told)
            assert address, (told, server.poll() is not None and server.stderr.read())
            connection = http.client.HTTPConnection(address[1], int(address[2]), timeout=30)
            connection.request("GET", "/")
            page = connection.getresponse().read().decode()
            assert '"assign_from": "session"' in page
            assert "C0DE" not in page
            for session in (1, 2):
                body = json.dumps(submission(design, session))
                connection.request("POST", "/answers", body, {"Content-Type": "application/json"})
                assert json.loads(connection.getresponse().read()) == {
                    "completion_code": "C0DE", "completion_url": "https://app.prolific.com/x?cc=C0DE"
                }  # fmt: skip
            connection.close()
        finally:
            # Not SIGINT, which whatever was started in the background ignores.
            server.send_signal(signal.SIGTERM)
            rest, errors = server.communicate(timeout=30)
    assert (rest.strip(), errors) == (f"Ended. 2 submissions are in {tmp_path / 'answers'}.", "")
    assert server.returncode == 0
    run("read", tmp_path / "answers", "--out", tmp_path / "read", "--design", folder)
    read = pd.read_csv(tmp_path / "read" / "answers.csv").sort_values(["session", "position"])
    assert read["rater"].tolist() == ["rater 1"] * 4 + ["rater 2"] * 4
    assert read["role"].tolist() == ["training", "test", "catch", "test", "training", "catch", "test", "test"]
    assert read["rating"].tolist() == [3, 4, 2, 3] * 2
    assert read["expected"].dropna().tolist() == [4, 4]
    assert set(read["comment"]) == {"'=HYPERLINK(1) <b>x</b>"}
    assert pd.read_csv(tmp_path / "read" / "problems.csv").empty
