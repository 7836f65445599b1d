from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerstats.corpora import demo_corpus, demo_sentences, utterance
from layerstats.errors import ArgumentError, DataError
from layerstats.models import Wav2Letter, seeded
from layerstats.models.letters import Alphabet, align, greedy
from layerstats.probes.relevance import emitted_letters, letter_times
from layerstats.probes.relevance.reading import read_utterances

WINDOW = 206


@pytest.fixture(scope="module")
def corpus():
    return demo_corpus(sentences=demo_sentences(3), voices=4, said_by=2)


@pytest.fixture(scope="module")
def network():
    """Random weights that tell some letters in any case, far enough from others for any rounding."""
    with seeded(3):
        network = Wav2Letter(width=8, top=16).eval()
    network.conv12.weight.data *= 30
    return network


@pytest.fixture(scope="module")
def windows(network, corpus):
    return emitted_letters(network, corpus)


class Spelling(nn.Module):
    """A network that spells out what it was given, a frame a label, whatever it hears; a window is one frame."""

    padding = "same"
    receptive_field = 1
    frame_s = 0.01

    def __init__(self, spelled, kind="ctc", surest=None):
        super().__init__()
        self.alphabet = Alphabet(kind)
        self.spelled = spelled
        self.surest = surest or {}
        self.front_end = SimpleNamespace(rate_hz=16000, hop=160)

    def features(self, samples):
        return torch.zeros(1, len(self.spelled), 1)

    def window_start(self, frame):
        return frame

    def forward(self, features):
        logits = torch.zeros(1, len(self.spelled), len(self.alphabet.letters))
        for frame, symbol in enumerate(self.spelled):
            logits[0, frame, self.alphabet.letters.index(symbol)] = self.surest.get(frame, 3.0)
        return logits


def spoken(text):
    return demo_corpus(sentences=[text], voices=1, said_by=1)


def test_windows_lie_in_the_utterance_and_give_their_letter_alone(network, corpus, windows):
    """The features of a window, cut out and run without padding, give the logits of the pass over the utterance."""
    assert len(windows) > 30
    assert (windows["start_frame"] >= 0).all()
    assert windows["start_frame"].mod(2).nunique() == 1
    network.padding = "valid"
    try:
        for token, rows in windows.groupby("utterance"):
            features = network.features(torch.from_numpy(utterance(corpus, token))[None])
            assert (rows["start_frame"] + WINDOW <= features.shape[1]).all()
            cut = torch.stack([features[0, start : start + WINDOW] for start in rows["start_frame"]])
            with torch.no_grad():
                probabilities = network(cut)[:, 0].softmax(dim=1).numpy()
            letters = [network.alphabet.letters[index] for index in probabilities.argmax(axis=1)]
            assert letters == rows["letter"].tolist()
            np.testing.assert_allclose(probabilities.max(axis=1), rows["posterior"], rtol=1e-3)
    finally:
        network.padding = "same"


def test_ids_and_what_is_known_of_the_utterance(corpus, windows):
    assert windows["token"].is_unique
    assert windows["token"].tolist() == [
        f"{utterance}@{frame}" for utterance, frame in zip(windows["utterance"], windows["frame"], strict=True)
    ]
    tokens = corpus.tokens.set_index("token").loc[windows["utterance"]]
    for column in ("speaker", "split", "sex", "accent", "voice_split", "sentence_split"):
        assert windows[column].tolist() == tokens[column].tolist()
    assert not {"sentence", "duration_s"} & set(windows)
    assert windows.attrs["notes"] == ()


def test_phone_under_the_middle(corpus, windows):
    hop_s = 128 / 16000
    np.testing.assert_allclose(windows["time_s"], (windows["start_frame"] + (WINDOW - 1) / 2) * hop_s)
    for row in windows.itertuples():
        phones = corpus.phones[corpus.phones["token"] == row.utterance]
        under = phones[(phones["onset_s"] <= row.time_s) & (row.time_s < phones["offset_s"])]
        expected = ("", "") if under.empty else tuple(under[["label", "phone_class"]].iloc[0])
        assert (row.phone, row.phone_class) == expected
    assert (windows["phone"] != "").mean() > 0.8


def test_one_window_a_run_is_the_surest_of_all_frames(network, corpus, windows):
    everything = emitted_letters(network, corpus, frames="all")
    assert len(everything) > len(windows)
    surest = everything.loc[everything.groupby(["utterance", "letter_index"], sort=False)["posterior"].idxmax()]
    pd.testing.assert_frame_equal(surest.reset_index(drop=True), windows)


def test_padded_windows_come_beside_those_inside(network, corpus, windows):
    padded = emitted_letters(network, corpus, frames="all", context="padded")
    inside = emitted_letters(network, corpus, frames="all")
    assert set(inside["token"]) < set(padded["token"])
    assert padded["start_frame"].min() < 0
    read = [greedy(reading.log_probabilities, network.alphabet) for reading in read_utterances(network, corpus)]
    for text, token in zip(read, corpus.tokens["token"], strict=True):
        rows = padded[padded["utterance"] == token]
        assert all(text[row.letter_index] == row.letter for row in rows.itertuples())


def test_what_was_said_where_letters_were_read():
    found = emitted_letters(Spelling("ff_ox_ _rr_uhn"), spoken("a fox ran")).set_index("letter_index")
    assert found["letter"].tolist() == list("foxruhn")
    assert found["word"].tolist() == ["fox"] * 3 + ["ran"] * 4
    assert found["word_index"].tolist() == [1] * 3 + [2] * 4
    assert found["correct"].tolist() == [True] * 4 + [False, False, True]
    # Of "uh" for "a" one letter was put in, the other read for "a".
    assert sorted(found["expected"].iloc[4:6]) == ["", "a"]
    assert found["expected"].drop(index=found.index[4:6]).tolist() == list("foxrn")


def test_surest_frame_of_a_run():
    found = emitted_letters(Spelling("aaa_b", surest={1: 5.0}), spoken("ab"))
    assert found[["frame", "letter"]].values.tolist() == [[1, "a"], [4, "b"]]
    assert found["time_s"].tolist() == pytest.approx([0.01, 0.04])


def test_signs_of_repetition_are_no_letters_but_count_in_the_text():
    found = emitted_letters(Spelling("hel2o_", "repetition"), spoken("hello"))
    assert found["letter"].tolist() == list("helo")
    assert found["letter_index"].tolist() == [0, 1, 2, 4]
    assert found["correct"].all()


def test_utterances_without_windows_are_told_or_refused(network):
    mixed = demo_corpus(sentences=["it", "the quick fox jumped over a lazy dog"], voices=2, said_by=1)
    found = emitted_letters(network, mixed)
    assert found["utterance"].nunique() == 1
    (note,) = found.attrs["notes"]
    assert note.startswith("1 of 2 utterances have no window")
    assert r"1 are shorter than the 206 frames (1.65 s)" in note
    with pytest.raises(DataError, match=r"1 of 2 utterances have no window.*empty='skip' leaves them out"):
        emitted_letters(network, mixed, empty="error")
    with pytest.raises(DataError, match=r"in 1 it reads no letter a to z there\. Pass longer speech"):
        emitted_letters(Spelling("__ _'_"), spoken("ab"))


def test_the_network_is_left_as_it_was(network, corpus):
    network.padding = "valid"
    network.train()
    try:
        before = {name: value.clone() for name, value in network.state_dict().items()}
        found = emitted_letters(network, corpus)
        assert (network.padding, network.training) == ("valid", True)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    finally:
        network.padding = "same"
        network.eval()
    pd.testing.assert_frame_equal(found, emitted_letters(network, corpus))


def test_progress(network, corpus):
    calls = []
    emitted_letters(network, corpus, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(index + 1, 6) for index in range(6)]


def test_letter_times_are_those_of_the_forced_alignment(network, corpus):
    times = letter_times(network, corpus)
    first = next(iter(read_utterances(network, corpus)))
    text = corpus.tokens["sentence"].iloc[0]
    rows = times[times["token"] == corpus.tokens["token"].iloc[0]]
    assert "".join(rows["letter"]) == text
    aligned = align(first.log_probabilities, text, network.alphabet)
    # The middle of the window of frame k: features are centred at multiples of 8 ms.
    middle = (np.array([network.window_start(int(k)) for k in aligned.first_frame]) + (WINDOW - 1) / 2) * 128 / 16000
    np.testing.assert_allclose(rows["onset_s"], middle)
    assert (times["offset_s"] > times["onset_s"]).all()
    assert [text.split()[index] for index in rows["word_index"]] == rows["word"].tolist()


def test_letter_times_of_signs_of_repetition():
    times = letter_times(Spelling("h_e_ll2_o", "repetition"), spoken("hello"))
    assert "".join(times["letter"]) == "hello"
    assert times["onset_s"].tolist() == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])


@pytest.mark.parametrize("option", ["frames", "context", "empty"])
def test_unknown_options(network, corpus, option):
    with pytest.raises(ArgumentError, match=f"'{option}'"):
        emitted_letters(network, corpus, **{option: "most"})


def test_other_networks(corpus):
    with pytest.raises(ArgumentError, match=r"Linear has no 'alphabet', 'features'"):
        emitted_letters(nn.Linear(2, 2), corpus)


def test_damaged_weights(corpus):
    with seeded(0):
        network = Wav2Letter(width=2, top=4)
    network.conv12.bias.data[0] = float("nan")
    with pytest.raises(DataError, match="NaN or infinite for"):
        emitted_letters(network, corpus)
