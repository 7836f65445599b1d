import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.models import basis_functions, check_groups, level_and_shape_model
from layerstats.stats.series import Series
from layerstats.stats.units import Units

TABLE_1 = 'value ~ word + s(sample) + s(sample, by=word_ordered) + s(sample, token, bs="fs", m=1)'


def series(points: int = 16, speakers: int = 6, repeats: int = 1, covariate: str = "sample") -> Series:
    """Each speaker says each of two words `repeats` times."""
    rows = [
        {"token": f"{speaker}-{word}-{repeat}", "speaker": f"sp{speaker}", "word": word, covariate: float(place)}
        for speaker in range(speakers)
        for word in ("ask", "wash")
        for repeat in range(repeats)
        for place in range(points)
    ]
    frame = pd.DataFrame(rows)
    frame["value"] = np.random.default_rng(0).normal(size=len(frame))
    frame["duration_s"] = 0.3 + 0.01 * (frame["token"].rank(method="dense") % 9)
    return Series(frame, covariate, "token", pd.DataFrame())


def test_the_published_formula_is_table_1():
    model = level_and_shape_model(series(), "word", ["ask", "wash"], speakers="none")
    assert model.formula == TABLE_1
    assert model.factors == {"word": ["ask", "wash"]}
    assert model.ordered == {"word_ordered": ("word", "ask")}


def test_speakers_that_repeat_get_a_smooth():
    model = level_and_shape_model(series(points=24), "word", ["ask", "wash"])
    assert model.formula == TABLE_1 + ' + s(sample, speaker, bs="fs", m=1)'


def test_speakers_that_repeat_a_word_get_a_smooth_for_their_version_of_it():
    model = level_and_shape_model(series(repeats=3, points=32), "word", ["ask", "wash"])
    assert model.formula.endswith('s(sample, speaker, bs="fs", m=1) + s(sample, speaker_word, bs="fs", m=1)')
    assert len(set(model.data["speaker_word"])) == 12


def test_speakers_who_speak_once_get_none():
    one = series()
    frame = one.frame.assign(speaker=one.frame["token"])
    model = level_and_shape_model(Series(frame, "sample", "token", one.dropped), "word", ["ask", "wash"])
    assert model.formula == TABLE_1


@pytest.mark.parametrize("points", [5, 6, 8, 12])
def test_a_model_never_has_more_coefficients_than_rows(points):
    one = series(points=points, repeats=2)
    model = level_and_shape_model(one, "word", ["ask", "wash"])
    sizes = [int(part.split("k=")[1].split(")")[0]) for part in model.formula.split(" + s(")[3:] if "k=" in part]
    levels = [len(set(model.data[name])) for name in ("token", "speaker", "speaker_word")]
    if 'bs="re"' in model.formula:
        coefficients = sizes[0] * levels[0] + levels[1] + levels[2]
    else:
        coefficients = sum(np.multiply(sizes or [9, 9, 9], levels))
    assert coefficients + 2 * points <= len(one.frame)


def test_basis_functions_follow_the_number_of_points():
    assert basis_functions(series(points=16)) == 10
    assert basis_functions(series(points=6)) == 6
    model = level_and_shape_model(series(points=6), "word", ["ask", "wash"], speakers="none")
    assert "s(sample, k=6) + s(sample, by=word_ordered, k=6)" in model.formula


def test_fewer_points_than_basis_functions_is_an_error():
    with pytest.raises(DataError, match=r"fewer points than basis functions: 6 \(median\) against k = 10"):
        basis_functions(series(points=6), k=10)
    with pytest.raises(DataError, match="fewer than the 3 basis functions"):
        basis_functions(series(points=2))
    with pytest.raises(ArgumentError, match="'k' parameter must be at least 3, but got 1"):
        basis_functions(series(), k=1)


def test_duration_is_a_smooth_and_an_interaction():
    model = level_and_shape_model(series(), "word", ["ask", "wash"], speakers="none", duration=True)
    assert "s(duration_s, k=5) + ti(sample, duration_s, k=5)" in model.formula
    flat = series()
    flat = Series(flat.frame.assign(duration_s=0.4), "sample", "token", flat.dropped)
    with pytest.raises(DataError, match="1 different durations"):
        level_and_shape_model(flat, "word", ["ask", "wash"], duration=True)


def test_levels_have_the_degrees_of_freedom_of_speakers():
    one = series(speakers=6, repeats=3, points=32)
    assert level_and_shape_model(one, "word", ["ask", "wash"]).units == Units("speakers", 6, 1)
    # Where each says each word once, tokens are the speakers' versions of words, whichever term takes them up.
    assert level_and_shape_model(series(), "word", ["ask", "wash"]).units.freedom == 5
    # Without speakers in the model, tokens are what was sampled, not their points in time.
    assert level_and_shape_model(one, "word", ["ask", "wash"], speakers="none").units == Units("tokens", 36, 2)
    # Every speaker says one word only: it is a comparison of two groups of speakers.
    apart = one.frame[(one.frame["word"] == "ask") == one.frame["speaker"].isin(["sp0", "sp1", "sp2"])]
    model = level_and_shape_model(Series(apart, "sample", "token", one.dropped), "word", ["ask", "wash"])
    assert model.units == Units("speakers", 6, 2)
    assert "speaker_word" not in model.formula


def test_one_level_or_one_speaker_is_an_error():
    frame = series().frame
    with pytest.raises(DataError, match="two levels of 'word' or more, but there is 'ask' only"):
        check_groups(frame[frame["word"] == "ask"], "word", "auto")
    with pytest.raises(DataError, match=r"one speaker \('sp0'\).*speakers='none'"):
        check_groups(frame[frame["speaker"] == "sp0"], "word", "auto")
    check_groups(frame[frame["speaker"] == "sp0"], "word", "none")
