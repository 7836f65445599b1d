from difflib import SequenceMatcher

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Corpus, align, read_fsdd, read_librispeech, read_timit
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import CorpusError

# Labels that TIMIT, the synthesiser and the aligner's dictionary use for the same stretch of sound.
SAME = {"z": "s", "dx": "t", "axr": "er", "ax": "er", "ah": "er", "ao": "aa", "ix": "ih", "el": "l", "hv": "hh"}


def onsets(phones):
    """Label and onset of each phone but the first, a stop starting with its closure."""
    found, closed = [], ""
    for row in phones.itertuples():
        if row.label.endswith("cl"):
            closed = row.label[0]
            found.append((closed, row.onset_s))
        elif row.label != closed:
            found.append((SAME.get(row.label, row.label), row.onset_s))
        closed = closed if row.label.endswith("cl") else ""
    return found[1:]


def boundary_errors(reference, aligned):
    """Seconds between the boundaries of phones that both have."""
    errors = []
    given = dict(list(reference.phones.groupby("token")))
    for token, phones in aligned.phones.groupby("token"):
        ours, theirs = onsets(phones), onsets(given[token])
        blocks = SequenceMatcher(None, [x for x, _ in theirs], [x for x, _ in ours], autojunk=False)
        for start, other, size in blocks.get_matching_blocks():
            errors += [ours[other + i][1] - theirs[start + i][1] for i in range(size)]
    return np.array(errors)


def test_boundaries_of_synthetic_speech_are_found(small_demo):
    aligned, unaligned = align(small_demo)
    assert unaligned.empty
    errors = boundary_errors(small_demo, aligned)
    assert len(errors) > 100
    assert np.median(np.abs(errors)) < 0.020
    assert set(aligned.phones["token"]) == set(small_demo.tokens["token"])
    pd.testing.assert_frame_equal(aligned.tokens, small_demo.tokens)
    wash = aligned.subset(words="wash").phones
    assert set(wash.loc[wash["position"] == "final", "label"]) == {"sh"}
    assert set(wash.loc[wash["position"] == "final", "source_label"]) == {"SH"}


def test_tokens_before_do_not_matter(small_demo):
    tokens = small_demo.subset(words=["oily", "ask"], speakers=small_demo.speakers[:3])
    together, _ = align(tokens)
    last = tokens.tokens["token"].iloc[-1]
    alone, _ = align(tokens.subset(tokens=last))
    pd.testing.assert_frame_equal(
        alone.phones, together.phones[together.phones["token"] == last].reset_index(drop=True)
    )


def unknown_words(small_demo):
    """The corpus with a word that no dictionary has."""
    tokens = small_demo.tokens.assign(word=small_demo.tokens["word"].replace("wash", "wushle"))
    return Corpus("demo", tokens, empty_phones(), small_demo.rate_hz, small_demo.source).subset(
        words=["wushle", "ask"], speakers=small_demo.speakers[0]
    )


def test_words_outside_the_dictionary_are_named(small_demo):
    corpus = unknown_words(small_demo)
    aligned, unaligned = align(corpus)
    assert len(aligned) == 2
    assert set(aligned.phones["label"]) == {"ae", "s", "k"}
    assert unaligned[["word", "reason"]].values.tolist() == [["wushle", "not in the dictionary: wushle"]]
    with pytest.raises(CorpusError, match="not in the dictionary: wushle"):
        align(corpus.subset(words="wushle"))


def test_pronunciations_are_added(small_demo):
    aligned, unaligned = align(unknown_words(small_demo), pronunciations={"wushle": "W AA SH"})
    assert unaligned.empty
    assert aligned.subset(words="wushle").phones["label"].tolist() == ["w", "aa", "sh"]
    for wrong in ("W AA1 SH", "", "wash"):
        with pytest.raises(CorpusError, match="ARPABET"):
            align(unknown_words(small_demo), pronunciations={"wushle": wrong})


def test_audio_too_short_for_its_words(small_demo):
    first = small_demo.tokens.iloc[:2].assign(word=["interchangeable universality", "ask"])
    audio = {token: small_demo.source.load(token) for token in first["token"]}
    codes = {token: np.round(32767 * samples).astype(np.int16) for token, samples in audio.items()}
    codes[first["token"].iloc[0]] = codes[first["token"].iloc[0]][:400]
    tokens = first.assign(duration_s=[400 / small_demo.rate_hz, first["duration_s"].iloc[1]])
    corpus = Corpus("cut", tokens, empty_phones(), small_demo.rate_hz, MemoryAudio(codes))
    aligned, unaligned = align(corpus)
    assert unaligned["token"].tolist() == [first["token"].iloc[0]]
    assert unaligned["reason"].str.contains("no alignment").all()
    assert set(aligned.phones["token"]) == {first["token"].iloc[1]}


@pytest.fixture
def utterances(small_demo):
    """Two utterances of three words each, and where these begin, in seconds."""
    rows, codes, onsets = [], {}, {}
    for number in range(2):
        tokens = small_demo.tokens[small_demo.tokens["speaker"] == small_demo.speakers[number]].iloc[:3]
        parts, at = [], 0
        for token in tokens["token"]:
            onsets.setdefault(f"u{number}", []).append(at / small_demo.rate_hz)
            parts += [small_demo.source.load(token), np.zeros(4000, np.float32)]
            at += sum(map(len, parts[-2:]))
        samples = np.concatenate(parts)
        codes[f"u{number}"] = np.round(32767 * samples).astype(np.int16)
        text = " ".join(tokens["word"])
        rows.append((f"u{number}", text, f"s{number}", "train", len(samples) / small_demo.rate_hz, f"chapter {number}"))
    columns = ["token", "word", "speaker", "split", "duration_s", "chapter"]
    frame = pd.DataFrame(rows, columns=columns)
    return Corpus("utterances", frame, empty_phones(), small_demo.rate_hz, MemoryAudio(codes)), onsets


def test_utterances_are_sliced_into_words(utterances):
    corpus, onsets = utterances
    words, unaligned = align(corpus, slice_words=True)
    assert unaligned.empty
    said = corpus.tokens["word"].str.split()
    assert words.tokens["word"].tolist() == [*said[0], *said[1]]
    assert words.tokens["token"].iloc[0] == f"u0_00_{said[0][0]}"
    assert words.tokens["utterance"].tolist() == ["u0"] * 3 + ["u1"] * 3
    assert words.tokens["chapter"].tolist() == ["chapter 0"] * 3 + ["chapter 1"] * 3
    for token, utterance, index in words.tokens[["token", "utterance", "word_index"]].values.tolist():
        whole, start, stop = words.source.stretches[token]
        assert whole == utterance
        assert abs(start / corpus.rate_hz - onsets[utterance][index]) < 0.2  # in the pause before, at most
        np.testing.assert_array_equal(words.audio(token), corpus.audio(whole)[start:stop])
    first = words.phones.groupby("token")["onset_s"].min()
    assert first.abs().max() < 1e-3
    assert "sil" not in set(words.phones["label"])
    assert len(set(words.source.fingerprints(words.tokens["token"]))) == 6
    assert words.content_hash() != corpus.content_hash()


def test_audio_that_cannot_be_used_is_not_aligned(utterances):
    corpus, _ = utterances
    codes = {token: samples.copy() for token, samples in corpus.source.samples.items()}
    codes["u1"][:] = 0
    silent = Corpus("silent", corpus.tokens, empty_phones(), corpus.rate_hz, MemoryAudio(codes))
    words, unaligned = align(silent, slice_words=True)
    assert set(words.tokens["utterance"]) == {"u0"}
    assert "silent" in unaligned["reason"].item()


@pytest.mark.realdata
def test_words_of_timit(real_data):
    corpus = read_timit(real_data("timit"))
    aligned, unaligned = align(corpus)
    assert unaligned.empty
    errors = boundary_errors(corpus, aligned)
    assert len(errors) > 280
    assert np.median(np.abs(errors)) < 0.013


@pytest.mark.realdata
def test_words_and_sentences_of_others(real_data):
    digits = read_fsdd(real_data("fsdd")).subset(words="six", split="test")
    aligned, unaligned = align(digits)
    assert len(unaligned) <= 3
    assert set(aligned.phones["label"]) == {"s", "ih", "k"}
    sentences = read_librispeech(real_data("LibriSpeech"))
    sentence = sentences.subset(tokens=sentences.tokens.loc[sentences.tokens["duration_s"].idxmin(), "token"])
    read, missing = align(sentence)
    assert missing.empty
    assert len(read.phones) > 10
