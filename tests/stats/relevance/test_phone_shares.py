"""Shares of a score by groups of phones: by hand, against untrained twins, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import phone_shares
from layerstats.store import open_store, store_arrays

SAMPLES, HOP_S = 40, 0.01
TIMES = (np.arange(SAMPLES) + 0.5) * HOP_S
# Samples of the two phones of a token; the rest of the clip is silence.
VOWEL, NOISE = slice(5, 15), slice(15, 25)
ABOUT = {"quantity": "relevance", "method": "epsilon", "target": "ask"}


def tables(speakers=8, words=("ask", "wash")):
    rows, phones = [], []
    for speaker in range(speakers):
        for word in words:
            token = f"{word}_{speaker}"
            rows.append({"token": token, "word": word, "speaker": f"p{speaker}", "split": "test"})
            for number, (place, label) in enumerate(((VOWEL, "ae"), (NOISE, "s" if word == "ask" else "sh"))):
                kind = "monophthong" if number == 0 else "voiceless_fricative"
                ends = {"onset_s": place.start * HOP_S, "offset_s": place.stop * HOP_S}
                phones.append({"token": token, "phone_index": number, "label": label, "phone_class": kind, **ends})
    return pd.DataFrame(rows), pd.DataFrame(phones)


TABLES = tables()


def relevance(rng, tokens, vowel, noise, spread=0.0):
    """Sums under vowel and noise, which sometimes differ between speakers; nothing elsewhere but a little."""
    values = np.zeros((len(tokens), SAMPLES))
    people = pd.factorize(tokens["speaker"])[0]
    for place, level in ((VOWEL, vowel), (NOISE, noise)):
        by_speaker = spread * rng.normal(size=people.max() + 1)[people] + spread * rng.normal(size=len(tokens))
        values[:, place] = (level + by_speaker)[:, None] / 10
    values[:, 30] = 0.1
    return values


@pytest.fixture
def write(tmp_path):
    """Return a function that stores recordings of relevance on the same tokens and opens the first."""

    def store(recordings, about=ABOUT, tables=None):
        tables = tables or TABLES
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        for name, values in recordings.items():
            attrs = {**about, "trained": not name.startswith("untrained")}
            store_arrays(path, tables[0], {"input": values}, time_s={"input": TIMES}, phones=tables[1], name=name,
                         attrs=attrs)  # fmt: skip
        return open_store(path, recording=next(iter(recordings)))

    return store


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def test_shares_are_sums_under_phones_over_all_that_moves_the_score(write, rng):
    tokens = tables()[0]
    found = phone_shares(write({"relevance": relevance(rng, tokens, 3.0, -0.9)}))
    table = found.shares.set_index("group")
    assert_allclose(table["score_share"], [3 / 4, -0.9 / 4, 0.1 / 4], rtol=1e-5)
    assert_allclose(table["duration_share"], [0.25, 0.25, 0.5])
    assert table["phones"].tolist() == [16, 16, 0]
    assert table["tokens"].tolist() == [16, 16, 16]
    assert found.comparisons.empty
    assert "no recordings of untrained networks" in found.notes[0]
    absolute = phone_shares(write({"relevance": relevance(rng, tokens, 3.0, -0.9)}), sign="absolute")
    assert_allclose(absolute.shares["score_share"], [3 / 4, 0.9 / 4, 0.1 / 4], rtol=1e-5)
    assert_allclose(absolute.tokens.groupby("token")["score_share"].sum(), 1.0)


def test_a_group_is_averaged_over_the_tokens_that_have_it(write, rng):
    """[s] is in *ask* only; and what was not asked for is elsewhere."""
    view = write({"relevance": relevance(rng, tables()[0], 3.0, -0.9)})
    table = phone_shares(view, by="label").shares.set_index("group")
    assert table["tokens"].to_dict() == {"ae": 16, "s": 8, "sh": 8, "elsewhere": 16}
    assert_allclose(table.loc["s", "score_share"], -0.9 / 4, rtol=1e-5)
    some = phone_shares(view.select(phone=["ae"]), by="label").shares.set_index("group")
    assert some.index.tolist() == ["ae", "elsewhere"]
    assert_allclose(some.loc["elsewhere", "score_share"], -0.8 / 3.8, rtol=1e-5)


def test_intervals_are_those_of_means_of_clusters(write, rng):
    """Against statsmodels' cluster-robust errors, whose finite-sample factor is taken off."""
    import statsmodels.api as sm

    view = write({"relevance": relevance(rng, tables()[0], 3.0, 1.0, spread=0.5)})
    found = phone_shares(view)
    row = found.shares.set_index("group").loc["monophthong"]
    own = found.tokens.query("group == 'monophthong'")
    speakers = pd.factorize(own["speaker"])[0]
    options = {"cov_type": "cluster", "cov_kwds": {"groups": speakers, "use_correction": False}, "use_t": True}
    fit = sm.OLS(own["score_share"].to_numpy(), np.ones(len(own))).fit(**options)
    assert_allclose(row["std_error"], fit.bse[0] * np.sqrt(8 / 7))
    assert row["df"] == 7


def test_a_network_that_learned_the_vowel_is_told_from_its_untrained_twins(write, rng):
    tokens = tables()[0]
    twins = {f"untrained_{n:02}": relevance(rng, tokens, *rng.normal(size=2), spread=0.3) for n in range(19)}
    found = phone_shares(write({"relevance": relevance(rng, tokens, 9.0, 0.0, spread=0.3), **twins}))
    table = found.comparisons.set_index("group")
    assert table.loc["monophthong", "diff"] > 0.3
    assert table.loc["monophthong", "p_adjusted"] < 0.001
    assert table.loc["monophthong", "null_p_value"] == 0.05
    assert 0.05 <= table.loc["monophthong", "null_p_adjusted"] < 0.2
    assert table.loc["voiceless_fricative", "null_p_value"] > 0.05
    assert set(table["null_recordings"]) == {19}
    assert_allclose(
        table.loc["monophthong", "diff"],
        (found.tokens["score_share"] - found.tokens["untrained_share"])[found.tokens["group"] == "monophthong"].mean(),
    )
    assert len(found.networks) == 20 * 3


def test_relevance_of_another_score_or_rule_is_no_twin(write, rng):
    tokens = tables()[0]
    view = write({"relevance": relevance(rng, tokens, 9.0, 0.0)})
    other = {**ABOUT, "target": "wash", "trained": False}
    store_arrays(view.path, tokens, {"input": relevance(rng, tokens, 1.0, 1.0)}, time_s={"input": TIMES},
                 phones=tables()[1], name="untrained_00", attrs=other)  # fmt: skip
    assert phone_shares(open_store(view.path, recording="relevance")).comparisons.empty


def test_what_is_no_share_of_a_score_is_refused(write, rng):
    tokens = tables()[0]
    values = relevance(rng, tokens, 1.0, 1.0)
    with pytest.raises(DataError, match=r"holds 'activation', which is no share of a score"):
        phone_shares(write({"activations": values}, about={}))
    with pytest.raises(DataError, match=r"\(method 'gradient'\)"):
        phone_shares(write({"gradient": values}, about={"quantity": "relevance", "method": "gradient"}))
    view = write({"relevance": values})
    with pytest.raises(DataError, match="sort"):
        phone_shares(view, by="sort")
    with pytest.raises(ArgumentError, match="conv9"):
        phone_shares(view, layer="conv9")
    with pytest.raises(DataError, match="Token 'ask_0' has no relevance"):
        phone_shares(write({"relevance": 0 * values}))


def test_a_group_of_one_speaker_has_no_interval(write, rng):
    tokens, phones = tables()
    phones.loc[1, "phone_class"] = "affricate"
    found = phone_shares(write({"relevance": relevance(rng, tokens, 3.0, 1.0)}, tables=(tokens, phones)))
    row = found.shares.set_index("group").loc["affricate"]
    assert row["note"] == "one speaker only: no interval"
    assert np.isnan(row["conf_low"])
    assert found.notes[0] == "Said by one speaker only, without an interval: affricate."


@pytest.mark.slow
def test_simulated_intervals_cover_and_tests_keep_their_level(write):
    """200 worlds of eight speakers, in which trained and untrained networks share all but chance."""
    rng = np.random.default_rng(11)
    tokens, phones = tables(speakers=8)
    covered, rejected = [], []
    for _ in range(200):
        values = {name: relevance(rng, tokens, 2.0, 2.0, spread=0.4) for name in ("relevance", "untrained_00")}
        found = phone_shares(write(values, tables=(tokens, phones)))
        row = found.comparisons.set_index("group").loc["monophthong"]
        covered.append(row["conf_low"] <= 0 <= row["conf_high"])
        rejected.append(row["p_value"] < 0.05)
    assert covered == [not one for one in rejected]
    # 95 % of 200 are 190; fewer than 180 or more than 199 come by chance in one run of 300.
    assert 180 <= sum(covered) <= 199


def small(phones):
    """Return two tokens by two speakers, each with these phones: (onset, offset, label, class)."""
    tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["p1", "p2"], "split": "test"})
    names = ["onset_s", "offset_s", "label", "phone_class"]
    table = pd.DataFrame([{"token": token, "phone_index": number, **dict(zip(names, phone, strict=True))}
                          for token in tokens["token"] for number, phone in enumerate(phones)])  # fmt: skip
    return tokens, table


def test_samples_of_two_phones_that_overlap_are_not_taken_from_elsewhere(write):
    """Ten samples of a, ten of b, five of both; a value of one each."""
    both = small([(0.0, 0.10, "a", "vowel"), (0.05, 0.15, "b", "vowel")])
    table = phone_shares(write({"relevance": np.ones((2, SAMPLES))}, tables=both)).shares.set_index("group")
    assert_allclose(table["score_share"], [20 / 45, 25 / 45])
    assert table.loc["elsewhere", "duration_share"] == 25 / 40


def test_phones_without_samples_are_left_out_and_told(write):
    """One between two samples, one past the clip."""
    ends = [(0.0, 0.10, "a", "vowel"), (0.101, 0.104, "t", "stop"), (0.5, 0.6, "s", "fricative")]
    found = phone_shares(write({"relevance": np.ones((2, SAMPLES))}, tables=small(ends)))
    assert found.shares["group"].tolist() == ["vowel", "elsewhere"]
    assert any("4 phones too short" in note for note in found.notes)
    with pytest.raises(DataError, match="No phone that has a value of 'label'"):
        phone_shares(write({"relevance": np.ones((2, SAMPLES))}, tables=small(ends[1:])), by="label")


def test_speakers_that_do_not_differ_have_no_test(write):
    """The same share in all: no certainty follows from rounding."""
    rows = np.tile(np.linspace(0.1, 1, SAMPLES), (2, 1))
    same = phone_shares(write({"relevance": rows}, tables=small([(0.0, 0.13, "a", "vowel")])))
    assert same.shares["note"].tolist() == ["speakers do not differ"] * 2
    assert "one speaker" not in " ".join(same.notes)


def test_a_group_may_not_be_called_as_the_rest_is(write):
    with pytest.raises(DataError, match="has the value 'elsewhere'"):
        phone_shares(write({"relevance": np.ones((2, SAMPLES))}, tables=small([(0.0, 0.1, "elsewhere", "x")])), "label")


def test_silence_counts_for_nothing_among_networks(write, rng):
    """Exactly zero, and no rounding whose rank among twins would weigh in the adjustment over groups."""
    both = small([(0.0, 0.13, "a", "vowel"), (0.13, 0.2, "t", "closure")])
    heard = np.arange(SAMPLES) < 13
    twins = {f"untrained_{number:02}": rng.normal(size=(2, SAMPLES)) * heard for number in range(3)}
    found = phone_shares(write({"relevance": rng.normal(size=(2, SAMPLES)) * heard, **twins}, tables=both))
    silent = found.networks.query("group != 'vowel'")
    assert (silent["score_share"] == 0).all()
    assert found.comparisons.set_index("group").loc[["closure", "elsewhere"], "null_p_adjusted"].tolist() == [1, 1]
