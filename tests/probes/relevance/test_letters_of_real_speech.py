import numpy as np
import pytest

from layerstats.corpora import read_librispeech, read_timit
from layerstats.models import Wav2Letter, seeded
from layerstats.probes.relevance import emitted_letters, letter_times

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return Wav2Letter(width=8, top=16).eval()


def test_windows_of_timit_know_the_hand_labelled_phone(network, real_data):
    corpus = read_timit(real_data("timit"), unit="sentence")
    windows = emitted_letters(network, corpus)
    assert windows["utterance"].nunique() > 100
    (note,) = windows.attrs["notes"]
    assert "are shorter than the 206 frames" in note
    phones = windows.merge(corpus.phones, left_on="utterance", right_on="token", suffixes=("", "_said"))
    under = phones[(phones["onset_s"] <= phones["time_s"]) & (phones["time_s"] < phones["offset_s"])]
    assert (under["phone"] == under["label"]).all()
    assert (windows["phone"] != "").sum() == len(under)
    said = corpus.tokens.set_index("token")["word"]
    words = [said[row.utterance].split()[row.word_index] for row in windows.itertuples()]
    assert words == windows["word"].tolist()


def test_windows_and_times_of_librispeech(network, real_data):
    corpus = read_librispeech(real_data("LibriSpeech"))
    corpus = corpus.subset(speakers=corpus.speakers[:2])
    windows = emitted_letters(network, corpus)
    assert (windows["phone"] == "").all()
    assert set(windows["sex"]) <= {"F", "M"}
    times = letter_times(network, corpus)
    for token, rows in times.groupby("token"):
        assert "".join(rows["letter"]) == corpus.tokens.set_index("token")["word"][token]
        assert (np.diff(rows["onset_s"]) > 0).all()
