"""What stands above averaged series: the sound of one token of each, on the series' axis of time."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.plots import SoundsAbove, difference, phone_curves, raw_series, smooths, sounds_above
from layerstats.plots.describe import describe_figure

FIGURES = runpy.run_path(str(Path(__file__).with_name("baseline_figures.py")))


@pytest.fixture(scope="module")
def speech():
    return demo_corpus(words=["ask", "wash"], voices=2)


@pytest.fixture
def chosen(speech):
    one = speech.tokens.drop_duplicates("word")
    return pd.DataFrame({"group": one["word"], "token": one["token"], "why": "most typical"})


def test_a_sound_stands_where_its_clip_has_it(speech, chosen):
    clips = Clips(speech)
    found = sounds_above(chosen, speech, clips)
    token = chosen["token"].iloc[0]
    heard = np.abs(clips.waveform(token))
    wave = found.waveforms.query("group == 'ask'")
    peak_ms = 1000 * heard.argmax() / clips.rate_hz
    loudest = wave.loc[(wave["high"] - wave["low"]).idxmax(), "x"]
    assert abs(loudest - peak_ms) < 30
    assert wave["x"].between(25, 1000 * (0.025 + speech.tokens.set_index("token")["duration_s"][token])).all()
    assert wave[["low", "high"]].abs().to_numpy().max() == pytest.approx(1)
    own = clips.phones.query("token == @token")
    assert np.allclose(found.phones.query("group == 'ask'")["start"], 1000 * own["onset_s"])
    assert found.told == f"Above: waveform and phones of the most typical token of each: {', '.join(chosen['token'])}."


def test_a_phone_fills_normalised_time_and_nothing_else_is_there(speech, chosen):
    found = sounds_above(chosen.assign(phone_index=[1, 2]), speech, Clips(speech), along="time")
    assert found.phones["label"].tolist() == ["s", "sh"]
    assert found.phones[["start", "end"]].to_numpy() == pytest.approx(np.array([[0, 1], [0, 1]]))
    assert found.waveforms["x"].between(0, 1).all()
    word = sounds_above(chosen, speech, Clips(speech), along="time").phones.query("group == 'ask'")
    assert (word["start"].min(), word["end"].max()) == pytest.approx((0, 1))


def test_time_may_begin_elsewhere(speech, chosen):
    plain, moved = (sounds_above(one, speech) for one in (chosen, chosen.assign(zero_s=0.2)))
    assert np.allclose(moved.waveforms["x"], plain.waveforms["x"] - 200)
    assert np.allclose(moved.phones["end"], plain.phones["end"] - 200)


def test_only_the_first_of_a_group_is_read_and_what_is_not_at_hand_is_told(speech, chosen):
    more = pd.concat([chosen, chosen.assign(token="another"), pd.DataFrame({"group": ["dark"], "token": ["d1"]})])
    found = sounds_above(more, speech)
    assert found.tokens["group"].tolist() == ["ask", "wash"]
    assert found.missing == ("d1",)
    assert found.told.endswith("No sound at hand of d1.")
    none = sounds_above(pd.DataFrame({"group": ["dark"], "token": ["d1"]}), speech)
    assert none.told == "No sound at hand of d1."
    assert none.waveforms.empty


def test_sounds_along_another_axis_or_without_columns_are_refused(speech, chosen):
    with pytest.raises(ArgumentError, match="'along'"):
        sounds_above(chosen, speech, along="sample")
    with pytest.raises(DataError, match="'group'"):
        sounds_above(chosen.drop(columns="group"), speech)
    curves = pd.DataFrame({"layer": "conv1", "group": "ask", "time": [0.0, 1.0], "fit": 1.0})
    curves = curves.assign(conf_low=[0.0, 0.1], conf_high=2.0)
    with pytest.raises(ArgumentError, match=r"along='time'"):
        phone_curves(curves, above=sounds_above(chosen, speech))
    covariate = curves.rename(columns={"time": "age"})
    with pytest.raises(ArgumentError, match="other covariate"):
        smooths(covariate, by="group", x="age", above=sounds_above(chosen, speech))


def test_figures_without_the_sound_of_a_panel_are_drawn(built, curves):
    """Two of three words have a sound; without any, the figure is the one without sounds."""
    sounds = FIGURES["_sounds"]({"ask": ["ae", "s", "k"], "wash": ["w", "aa", "sh"]})
    plain, above = raw_series(FIGURES["_tokens"]()), raw_series(FIGURES["_tokens"](), above=sounds)
    waves = built(above)[2]
    assert sorted(waves["PANEL"].unique()) == [1, 3]
    nothing = SoundsAbove(*(table.iloc[:0] for table in (sounds.waveforms, sounds.phones, sounds.tokens)))
    assert len(raw_series(FIGURES["_tokens"](), above=nothing).layers) == len(plain.layers)
    assert describe_figure(above) == describe_figure(plain)


def test_strips_stand_above_what_is_drawn_of_their_panel(built, curves):
    sounds = FIGURES["_sounds"]({"ask": ["ae", "s", "k"], "wash": ["w", "aa", "sh"]})
    bands, _, first, second, *_ = built(smooths(curves(), above=sounds))
    for waves in (first, second):
        tops = bands.groupby("PANEL", observed=True)["ymax"].max()
        assert (waves.groupby("PANEL", observed=True)["ymin"].min() > tops).all()
    assert (first.groupby("PANEL")["ymin"].min() > second.groupby("PANEL")["ymax"].max()).all()


def test_a_difference_has_the_sound_of_its_first_level_uppermost(built):
    curve = FIGURES["_difference_curve"]("wash", "conv5", 1.0)
    sounds = FIGURES["_sounds"]({"wash": ["w", "aa", "sh"], "ask": ["ae", "s", "k"]})
    figure = difference(curve, above=sounds)
    (names,) = (layer for layer in built(figure) if "label" in layer.columns)
    heights = names.groupby("label")["y"].mean()
    assert heights["ae"] > heights["w"]


def test_many_phones_keep_out_of_each_others_way():
    from layerstats.plots.sound_strips import label_lines

    words = pd.DataFrame({"x": [0.0, 1.0, 2.0, 30.0], "text": ["aa", "bb", "cc", "dd"]})
    assert label_lines(words, letter=1.0, gap=0.5).tolist()[:2] == [0, 1]
    assert np.isnan(label_lines(words, letter=1.0, gap=0.5)[2])


def test_a_damaged_sound_is_not_at_hand(speech, chosen):
    from layerstats.errors import AudioError

    def audio(token):
        raise AudioError(f"{token} is silent")

    broken = SimpleNamespace(tokens=speech.tokens, phones=speech.phones, rate_hz=speech.rate_hz, audio=audio)
    assert sounds_above(chosen, broken).missing == tuple(chosen["token"])


def test_a_layer_called_as_the_row_of_sounds_has_panels_of_its_own(speech, chosen):
    time_ms = np.arange(0.0, 400, 20)
    curve = pd.DataFrame({"time_ms": time_ms, "fit": time_ms, "conf_low": time_ms - 9, "conf_high": time_ms + 9})
    curve = curve.assign(interval="pointwise", conf_level=0.95)
    cells = [curve.assign(layer=layer, word=word) for layer in ("sound", "conv1") for word in chosen["group"]]
    figure = smooths(pd.concat(cells), x="time_ms", layout="facets", above=sounds_above(chosen, speech))
    panels = figure.draw().axes
    assert len(panels) == 3 * len(chosen)
