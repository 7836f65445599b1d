"""ABX of layers of a network, its untrained twins and the sound alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from abx_by_hand import cells_by_hand, rate_by_hand
from scipy import stats as scipy_stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import AbxSampling, abx, compare_with_untrained
from layerstats.stats.representations import abx_counting, abx_measurement
from layerstats.tables import check_frame

CLASSES = {"s": "fricative", "sh": "fricative", "t": "stop", "d": "stop"}


def phones_of(speakers: int = 5, each: int = 3) -> pd.DataFrame:
    rows = [
        (label, f"f{speaker}", "a" if number % 2 else "#", "i")
        for speaker in range(speakers)
        for label in CLASSES
        for number in range(each)
    ]
    phones = pd.DataFrame(rows, columns=["label", "speaker", "previous", "following"])
    return phones.assign(phone_class=phones["label"].map(CLASSES))


def vectors_of(phones: pd.DataFrame, seed: int, signal: float, **attrs: object) -> xr.DataArray:
    """Vectors that tell phones apart by so much, and speakers by some."""
    generator = np.random.default_rng(seed)
    codes = {name: generator.normal(size=(phones[name].nunique(), 6)) for name in ("label", "speaker")}
    values = generator.normal(size=(len(phones), 6))
    for name, size in (("label", signal), ("speaker", 0.7)):
        values += size * codes[name][pd.factorize(phones[name])[0]]
    coords = {name: ("phone", phones[name].to_numpy()) for name in phones}
    return xr.DataArray(values, dims=("phone", "channel"), coords=coords, attrs=attrs)


def network(untrained: int = 9, acoustics: bool = True) -> list[xr.DataArray]:
    phones = phones_of()
    layers = [("conv1", 0.8), ("conv2", 2.5)]
    found = [
        vectors_of(phones, number, signal, layer=layer, recording="whisper", trained=True, network_kind="whisper")
        for number, (layer, signal) in enumerate(layers)
    ]
    found += [
        vectors_of(phones, 100 * twin + number, 0.8, layer=layer, recording=f"untrained_{twin:02}", trained=False)
        for twin in range(1, untrained + 1)
        for number, (layer, _) in enumerate(layers)
    ]
    if acoustics:
        found.append(vectors_of(phones, 7, 1.0, layer="features", recording="mel", network_kind="acoustics"))
    return found


def test_rates_and_intervals_are_those_of_the_definition():
    phones = phones_of()
    vectors = vectors_of(phones, 0, 1.0, layer="conv1")
    for context in ("any", "same"):
        result = abx(vectors, context=context)
        assert result.table["abx_mode"].tolist() == ["within", "across"]
        for row in result.table.itertuples():
            cells = cells_by_hand(vectors.to_numpy(), phones, row.abx_mode, context)
            without = np.array([rate_by_hand(cells, speaker) for speaker in phones["speaker"].unique()])
            error = np.sqrt(4 / 5 * np.sum((without - without.mean()) ** 2))
            statistic = (rate_by_hand(cells) - 0.5) / error
            assert row.error_rate == pytest.approx(rate_by_hand(cells), abs=1e-12)
            assert row.std_error == pytest.approx(error, abs=1e-12)
            assert row.statistic == pytest.approx(statistic, rel=1e-9)
            assert row.p_value == pytest.approx(2 * scipy_stats.t.sf(abs(statistic), 4), rel=1e-6)
            assert row.df == 4
            assert row.triplets == sum(map(len, cells.values()))
            assert (row.phones, row.pairs, row.speakers) == (60, 6, 5)
            assert row.conf_low < row.error_rate < row.conf_high


def test_pairs_classes_and_speakers_add_up_to_the_whole():
    phones = phones_of()
    vectors = vectors_of(phones, 0, 1.0, layer="conv1")
    result = abx(vectors, modes=["within"])
    cells = cells_by_hand(vectors.to_numpy(), phones, "within", "any")
    whole = result.table["error_rate"].item()
    assert result.pairs["error_rate"].mean() == pytest.approx(whole)
    assert np.average(result.classes["error_rate"], weights=result.classes["pairs"]) == pytest.approx(whole)
    assert result.speakers["error_rate"].mean() == pytest.approx(whole)
    pairs = result.pairs.set_index(["phone_1", "phone_2"])["error_rate"]
    both = {key: errors for key, errors in cells.items() if set(key[3:]) == {"s", "t"}}
    assert pairs["s", "t"] == pytest.approx(rate_by_hand(both))
    assert len(pairs) == 6
    classes = result.classes.set_index(["phone_class_1", "phone_class_2"])
    assert classes["pairs"].to_dict() == {
        ("fricative", "fricative"): 1, ("fricative", "stop"): 4, ("stop", "stop"): 1,
    }  # fmt: skip
    assert classes["error_rate"]["fricative", "fricative"] == pytest.approx(pairs["s", "sh"])
    across = abx(vectors, modes=["across"])
    assert across.pairs["error_rate"].mean() == pytest.approx(across.table["error_rate"].item())


def test_what_training_gained_is_told_by_speakers_and_by_networks():
    given = network()
    result = abx(given)
    assert result.table["layer"].tolist() == ["conv1", "conv1", "conv2", "conv2"]
    assert set(result.table["recording"]) == {"whisper"}
    against = result.comparisons.set_index(["abx_mode", "level_2", "layer"])
    rates = result.networks.set_index(["recording", "layer", "abx_mode"])["error_rate"]
    assert len(rates) == (2 + 18 + 1) * 2
    for mode in ("within", "across"):
        twins = [rates[f"untrained_{n:02}", "conv2", mode] for n in range(1, 10)]
        row = against.loc[(mode, "untrained", "conv2")]
        assert row["diff"] == pytest.approx(rates["whisper", "conv2", mode] - np.mean(twins))
        assert row["null_error_median"] == pytest.approx(np.median(twins))
        assert row["null_recordings"] == 9
        # Better than all nine.
        assert row["null_p_value"] == pytest.approx(0.1)
        assert row["diff"] < 0
        assert row["p_adjusted"] < 0.05
        sound = against.loc[(mode, "acoustics", "conv2")]
        assert sound["diff"] == pytest.approx(rates["whisper", "conv2", mode] - rates["mel", "features", mode])
        assert np.isnan(sound["null_p_value"])
    families = result.comparisons.groupby("family")["tests"].first()
    assert families.to_dict() == {
        f"ABX {mode} speakers, trained - {other} over layers": 2
        for mode in ("within", "across") for other in ("untrained", "acoustics")
    }  # fmt: skip
    for name in ("table", "comparisons", "networks", "pairs", "classes", "speakers"):
        check_frame(getattr(result, name))
    assert "conv2" in repr(result)


def test_differences_use_the_same_speakers_twice():
    given = network(untrained=1, acoustics=False)
    result = abx(given, modes=["within"], layers=["conv1"])
    phones = phones_of()
    ours, theirs = (cells_by_hand(given[place].to_numpy(), phones, "within", "any") for place in (0, 2))
    without = np.array([rate_by_hand(ours, s) - rate_by_hand(theirs, s) for s in phones["speaker"].unique()])
    assert result.comparisons["std_error"].item() == pytest.approx(
        np.sqrt(4 / 5 * np.sum((without - without.mean()) ** 2))
    )


def test_ranks_are_those_of_compare_with_untrained():
    result = abx(network(), modes=["across"])
    effects = result.networks.query("recording != 'mel'").assign(effect_size=lambda frame: 1 - frame["error_rate"])
    ranked = compare_with_untrained(effects)
    ours = result.comparisons.query("level_2 == 'untrained'")
    assert ours["null_p_adjusted"].tolist() == ranked["null_p_adjusted"].tolist()
    assert ours["null_error_median"].to_numpy() == pytest.approx(1 - ranked["null_effect_median"].to_numpy())


def test_workers_and_blocks_change_nothing(monkeypatch):
    given, seen = network(untrained=2), []
    serial = abx(given, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 7) for number in range(1, 8)]
    monkeypatch.setattr(abx_counting, "_BLOCK", 50)
    again = abx(given, workers=3)
    for name in ("table", "comparisons", "pairs"):
        pd.testing.assert_frame_equal(getattr(serial, name), getattr(again, name))


def test_what_was_finished_is_kept(tmp_path, monkeypatch):
    given = network(untrained=1)
    first = abx(given, keep=tmp_path)
    monkeypatch.setattr(abx_measurement, "count_errors", None)  # nothing is counted again
    pd.testing.assert_frame_equal(abx(network(untrained=1), keep=tmp_path).table, first.table)


def test_only_what_is_asked_for_is_compared():
    vectors = vectors_of(phones_of(), 0, 1.0, layer="conv1")
    fricatives = vectors.isel(phone=np.isin(vectors["label"], ["s", "sh"]))
    chosen, by_hand = abx(vectors, phones="s,sh"), abx(fricatives)
    assert chosen.table["error_rate"].tolist() == pytest.approx(by_hand.table["error_rate"].tolist())
    by_class = abx(vectors, by="phone_class", modes=["within"])
    assert by_class.pairs[["phone_1", "phone_2"]].to_numpy().tolist() == [["fricative", "stop"]]
    assert by_class.table["error_rate"].item() != pytest.approx(
        abx(vectors, modes=["within"]).table["error_rate"].item()
    )
    few = abx(vectors, sampling=AbxSampling(phones=2, speakers=2))
    assert few.table["phones"].tolist() == [40, 40]
    assert any("at most 2 other speakers" in note for note in few.notes)


def test_too_few_speakers_have_no_interval_and_say_so():
    phones = phones_of()
    vectors = vectors_of(phones, 0, 1.0, layer="conv1")
    one = abx(vectors.isel(phone=(phones["speaker"] == "f0").to_numpy()))
    assert one.table["abx_mode"].tolist() == ["within"]
    assert one.table[["std_error", "conf_low", "p_value"]].isna().all(axis=None)
    assert "one speaker" in one.table["note"].item()
    assert any("all phones are of one speaker" in note.lower() for note in one.notes)
    two = abx(vectors.isel(phone=phones["speaker"].isin(["f0", "f1"]).to_numpy())).table.set_index("abx_mode")
    assert two["df"].notna().to_dict() == {"within": True, "across": False}
    with pytest.raises(DataError, match="two speakers or more"):
        abx(vectors.isel(phone=(phones["speaker"] == "f0").to_numpy()), modes=["across"])


def test_a_pair_of_one_speaker_has_no_interval_of_its_own():
    phones = phones_of()
    keep = (phones["label"] != "d") | (phones["speaker"] == "f0")
    vectors = vectors_of(phones, 0, 1.0, layer="conv1").isel(phone=keep.to_numpy())
    result = abx(vectors, modes=["within"])
    with_d = (result.pairs[["phone_1", "phone_2"]] == "d").any(axis=1)
    assert result.pairs.loc[with_d, "std_error"].isna().all()
    assert result.pairs.loc[~with_d, "df"].tolist() == [4, 4, 4]
    assert any("3 of 6 pairs of phones within speakers" in note for note in result.notes)


def test_wrong_questions_are_refused():
    vectors = vectors_of(phones_of(), 0, 1.0, layer="conv1")
    with pytest.raises(ArgumentError, match="'modes'"):
        abx(vectors, modes="within")
    with pytest.raises(ArgumentError, match="'between'"):
        abx(vectors, modes=["between"])
    with pytest.raises(ArgumentError, match="'distance'"):
        abx(vectors, distance="cosine")
    with pytest.raises(ArgumentError, match="'context'"):
        abx(vectors, context="triphone")
    with pytest.raises(ArgumentError, match="'phones' parameter must be a positive whole number"):
        AbxSampling(phones=0)
    with pytest.raises(DataError, match="coordinates along 'phone'"):
        abx(vectors, by="stress")
    apart = vectors.assign_coords(previous=("phone", [str(number) for number in range(60)]))
    with pytest.raises(DataError, match="There are no triplets within or across"):
        abx(apart, context="same")
    broken = vectors.copy()
    broken[3, 2] = np.nan
    with pytest.raises(DataError, match="NaN"):
        abx(broken)
