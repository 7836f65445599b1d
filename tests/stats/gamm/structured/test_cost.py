"""Fits that take long say so first, and how far they are."""

from __future__ import annotations

import numpy as np
import pytest

from layerstats.cli.progress import long_fit
from layerstats.stats.gamm import fit
from layerstats.stats.gamm.structured import cost
from layerstats.stats.gamm.structured.cost import Meter, note_on_cost, seconds_of_bam
from layerstats.stats.gamm.structured.model_building import build_model

FORMULA = "y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"


@pytest.fixture
def model(make_request, make_tokens):
    return build_model(make_request(FORMULA, make_tokens()))


def test_a_short_fit_says_nothing(make_tokens):
    said = []
    result = fit(FORMULA, make_tokens(), engine="structured", progress=lambda *now: said.append(now))
    assert said == []
    assert not any("expected" in note for note in result.notes)
    assert result.request.progress is None


def test_a_long_fit_says_how_far_it_is(make_tokens, monkeypatch):
    seconds = iter(np.arange(0, 10_000, 3.0))
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(seconds))
    said = []
    result = fit(FORMULA, make_tokens(), engine="auto", progress=lambda *now: said.append(now))
    done, total = np.array(said).T
    assert np.all(total == total[0])
    assert total[0] >= 60
    assert np.all(np.diff(done) >= 0)
    assert done[0] < total[0] / 4
    assert done[-1] >= total[0] - 1
    assert sum("expected to take about 60 s" in note for note in result.notes) == 1


def test_tests_are_part_of_what_is_expected(model, monkeypatch):
    monkeypatch.setattr(cost, "_MULTIPLICATION", 1.0)
    meter = Meter(model, compete=False)
    meter.step()
    rows = model.level_count * model.blocks[0].functions
    assert meter.expected == pytest.approx(4 * rows**3, rel=0.01)


def test_a_note_names_what_may_take_less(model):
    assert note_on_cost(model, 3, 19.0) == ()
    (note,) = note_on_cost(model, 3, 90.0)
    assert "about 90 s; with engine='mgcv' and discrete=True it may take about 0 s" in note
    (note,) = note_on_cost(model, 3, 21.0 + 2 * seconds_of_bam(model, 10**12))
    assert "mgcv" in note
    assert seconds_of_bam(model, 30) == pytest.approx(4 * seconds_of_bam(model, 0))


def test_the_shell_says_it_before_the_fit(capsys):
    with long_fit() as moved:
        assert capsys.readouterr().err == ""
        moved(1, 45)
        assert "The fit is expected to take about 45 s." in capsys.readouterr().err
        moved(2, 45)
        assert capsys.readouterr().err == ""
