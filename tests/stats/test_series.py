import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.series import bin_series, phone_series, word_series

HOP = 0.016


def tidy(samples: int = 64, tokens: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for number in range(tokens):
        onset, duration = 0.025, 0.3 + 0.1 * number
        rows.append(
            pd.DataFrame(
                {
                    "token": f"t{number}",
                    "word": ["ask", "wash"][number % 2],
                    "speaker": f"sp{number // 2}",
                    "sample": range(samples),
                    "time_s": (np.arange(samples) + 0.5) * HOP,
                    "value": rng.normal(size=samples),
                    "onset_s": onset,
                    "duration_s": duration,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def with_phones(frame: pd.DataFrame) -> pd.DataFrame:
    """Give each token [s] from 0.1 to 0.25 s and again from 0.3 to 0.33 s."""
    first = frame.assign(phone="s", phone_index=1, phone_onset_s=0.1, phone_offset_s=0.25)
    second = frame.assign(phone="s", phone_index=3, phone_onset_s=0.3, phone_offset_s=0.33)
    return pd.concat([first, second], ignore_index=True)


def test_padded_series_keep_every_sample_of_the_clip():
    series = word_series(tidy(), samples=None)
    assert series.covariate == "sample"
    assert series.frame.groupby("token").size().eq(64).all()


def test_word_series_hold_what_lies_in_the_word_in_normalised_time():
    frame = tidy()
    series = word_series(frame, variant="word", samples=None)
    for token, rows in series.frame.groupby("token"):
        source = frame[frame["token"] == token]
        end = 0.025 + source["duration_s"].iloc[0]
        inside = source[source["time_s"].between(0.025, end)]
        np.testing.assert_array_equal(rows["value"], inside["value"])
        np.testing.assert_allclose(rows["time"], (inside["time_s"] - 0.025) / source["duration_s"].iloc[0])
    assert series.frame["time"].between(0, 1).all()


def test_padding_does_not_move_the_word_series():
    """A longer clip has more silence: the padded series changes, the series of the word does not."""
    short, long = tidy(64), tidy(96)
    long.loc[long["sample"] < 64, "value"] = short["value"].to_numpy()
    word = [word_series(frame, variant="word").frame for frame in (short, long)]
    pd.testing.assert_frame_equal(*word)
    assert len(word_series(short, samples=None).frame) != len(word_series(long, samples=None).frame)


def test_binning_is_the_mean_of_equal_stretches():
    frame = tidy(samples=64)
    binned = bin_series(frame, 16)
    expected = frame["value"].to_numpy().reshape(4, 16, 4).mean(axis=2)
    np.testing.assert_allclose(binned["value"].to_numpy().reshape(4, 16), expected)
    np.testing.assert_allclose(binned["sample"].to_numpy()[:2], [1.5, 5.5])
    assert binned["word"].tolist() == np.repeat(["ask", "wash", "ask", "wash"], 16).tolist()


def test_binning_leaves_shorter_series_as_they_are():
    frame = tidy(samples=10)
    pd.testing.assert_frame_equal(bin_series(frame, 32), frame)


@pytest.mark.parametrize("samples", [11, 17, 31])
def test_bins_are_never_empty_and_weigh_nearly_the_same(samples):
    frame = tidy(samples=samples)
    binned = bin_series(frame, 10)
    assert binned.groupby("token").size().eq(10).all()
    assert np.diff(binned["sample"].to_numpy()[:10]).max() <= np.ceil(samples / 10)


def test_phone_series_lie_under_the_interval():
    series = phone_series(with_phones(tidy()), phones=["s"], samples=None)
    assert series.identifier == "phone_token"
    assert set(series.frame["phone_token"]) == {f"t{n}/1" for n in range(4)}
    assert series.frame["time_s"].between(0.1, 0.25).all()
    np.testing.assert_allclose(series.frame["time"], (series.frame["time_s"] - 0.1) / 0.15)


def test_short_intervals_are_named_not_lost():
    series = phone_series(with_phones(tidy()), phones=["s"])
    assert series.dropped["phone_index"].tolist() == [3] * 4
    assert series.dropped["samples"].tolist() == [2] * 4
    assert series.dropped["note"].str.contains("4 are needed").all()


def test_absent_phone_lists_what_exists():
    with pytest.raises(ArgumentError, match=r"'zh' is not in the data. There are: s\."):
        phone_series(with_phones(tidy()), phones=["s", "zh"])


def test_absent_word_lists_what_exists():
    with pytest.raises(ArgumentError, match=r"'rag' is not in the data. There are: ask, wash"):
        word_series(tidy(), words=["ask", "rag"])


def test_duplicated_rows_are_refused():
    frame = tidy()
    with pytest.raises(DataError, match="1 rows are duplicated: for instance series 't0' has sample 0"):
        word_series(pd.concat([frame, frame.iloc[:1]]))


def test_gaps_are_refused():
    with pytest.raises(DataError, match="'t0' lacks the sample before 11"):
        word_series(tidy().drop(index=10))


def test_nan_is_refused():
    frame = tidy()
    frame.loc[5, "value"] = np.nan
    with pytest.raises(DataError, match="NaN or infinite values present in required column 'value'"):
        word_series(frame)


def test_several_layers_need_a_choice():
    frame = pd.concat([tidy().assign(layer=layer) for layer in ("conv4", "conv5")])
    with pytest.raises(ArgumentError, match="several layers; choose one with the 'layer' parameter: 'conv4', 'conv5'"):
        word_series(frame)
    assert len(word_series(frame, "conv4", samples=None).frame) == len(tidy())
    with pytest.raises(ArgumentError, match="'conv9' is not in the data"):
        word_series(frame, "conv9")


def test_word_variant_needs_the_word_s_interval():
    with pytest.raises(DataError, match="'duration_s' is not in the series"):
        word_series(tidy().drop(columns="duration_s"), variant="word")


def test_reversed_interval_is_refused():
    frame = with_phones(tidy()).assign(phone_offset_s=0.05)
    with pytest.raises(DataError, match="ends before it begins"):
        phone_series(frame, phones=["s"])
