"""A judge that is new: one small file and one line of the registry, and it goes all the way to a page."""

import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import Corpus, write_generated
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import DataError, StoreError
from layerstats.judges import JUDGES, judge_speech, record_judgements
from layerstats.plots import heard_words
from layerstats.report import Output, write_page
from layerstats.stats import heard, stored_responses
from layerstats.store import open_store

NEW = runpy.run_path(str(Path(__file__).with_name("loudness.py")))
RATE_HZ, VOICES = 16000, 8


@pytest.fixture
def generated():
    """A generator of two codes: code 0 is noise all along, code 1 a click, which is soft; each by eight voices."""
    rng = np.random.default_rng(0)
    samples, rows = {}, []
    for code in ("0", "1"):
        for voice in range(VOICES):
            token = f"code_{code}_noise_{voice:04d}"
            values = rng.integers(-9000, 9000, RATE_HZ // 2)
            if code == "1":
                values[800:] //= 1000
            samples[token] = values.astype(np.int16)
            known = {"token": token, "word": f"code {code}", "speaker": f"noise {voice:04d}", "split": "generated"}
            rows.append({**known, "duration_s": 0.5, "code": code, "code_value": 1.0, "peak": 0.5})
    return Corpus("generated", pd.DataFrame(rows), empty_phones(), RATE_HZ, MemoryAudio(samples))


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception:
        raise result.exception
    return result.output


def test_it_goes_from_generated_speech_to_a_page(generated, tmp_path, monkeypatch):
    monkeypatch.setitem(JUDGES, "loudness", lambda options: NEW["Loudness"]())
    write_generated(generated, tmp_path / "said")
    store = tmp_path / "said.zarr"
    told = run("judge", store, "--corpus", f"generated:{tmp_path / 'said'}", "--judges", "loudness,pocketsphinx")
    assert f"{store}: loudness, {2 * VOICES} tokens" in told
    stored = open_store(store).table("judgements", "loudness")
    assert len(stored) == 2 * 2 * VOICES
    assert stored.attrs["judge_limit"] == NEW["LIMIT"]
    responses = stored_responses(open_store(store))
    assert len(responses) == 2 * 2 * VOICES
    result = heard(responses, draws=50)
    codes = result.codes.query("judge == 'loudness' and measure == 'consistency'").set_index("code")
    assert codes["response"].to_dict() == {"0": "loud", "1": "soft"}
    assert codes["estimate"].tolist() == [1.0, 1.0]
    output = Output(tmp_path / "page" / "heard", title="Loudness")
    output.table(result.codes, "codes", "How loud each code is")
    output.figure(heard_words(result.shares), "heard", "Loud and soft")
    page = write_page(tmp_path / "page", "Loudness").read_text(encoding="utf-8")
    assert "How loud each code is" in page
    assert (tmp_path / "page" / "heard" / "heard.png").exists()


def test_a_judge_whose_answer_is_there_is_not_asked_again(generated, tmp_path):
    asked = []

    class Counted(NEW["Loudness"]):
        def judge(self, clips):
            asked.append(len(clips))
            return super().judge(clips)

    store = tmp_path / "said.zarr"
    for _ in range(2):
        record_judgements(generated, store, [Counted()])
    assert asked == [2 * VOICES]
    stricter = Counted()
    stricter.attrs = {**stricter.attrs, "limit": 0.5}
    with pytest.raises(StoreError, match="loudness"):
        record_judgements(generated, store, [stricter])
    record_judgements(generated, store, [stricter], overwrite=True)
    assert open_store(store).table("judgements", "loudness").attrs["judge_limit"] == 0.5
    with pytest.raises(StoreError, match="other clips"):
        record_judgements(generated.subset(words="code 0"), store, [Counted()])


def test_a_store_without_judgements_says_what_makes_them(generated, tmp_path):
    record_judgements(generated, tmp_path / "said.zarr", [NEW["Loudness"]()])
    chosen = stored_responses(open_store(tmp_path / "said.zarr").select(word="code 1"))
    assert chosen["response"].tolist() == ["soft"] * VOICES
    experiment = open_store(tmp_path / "said.zarr")
    (tmp_path / "said.zarr" / "judgements").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"no judgements\. Make some: layerstats judge"):
        stored_responses(open_store(experiment.path))


def test_the_judge_of_the_page_is_one(generated):
    page = Path(__file__).parents[2].joinpath("docs", "how-to", "judges.md").read_text(encoding="utf-8")
    (code,) = [
        block for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) if "class Loudness" in block
    ]
    names = {}
    exec(code, names)
    shown, ours = (judge_speech(generated, [judge()]) for judge in (names["Loudness"], NEW["Loudness"]))
    pd.testing.assert_frame_equal(shown, ours)
