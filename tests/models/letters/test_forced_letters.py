import itertools

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.models.letters import Alphabet, align


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("kind", "symbols"), [("ctc", "_ab"), ("repetition", "_ab2")])
def test_alignment_is_the_best_of_all_paths_of_the_text(all_paths, seed, kind, symbols):
    alphabet = Alphabet(kind)
    scores = all_paths.random_frames(seed, 6, alphabet, symbols)
    by_labels = {}
    for path, score in all_paths.every_path(scores):
        labels = tuple(all_paths.collapsed(path, alphabet.blank))
        by_labels.setdefault(labels, []).append((score, path))
    for text in ("a", "ab", "aa", "abab", "baab"):
        score, path = max(by_labels[tuple(alphabet.encode(text))])
        found = align(scores, text, alphabet)
        assert found.log_probability == pytest.approx(score)
        runs = [(label, len(list(run))) for label, run in itertools.groupby(path)]
        ends = np.cumsum([length for _, length in runs])
        expected = [
            (end - length, end)
            for (label, length), end in zip(runs, ends.tolist(), strict=True)
            if label != alphabet.blank
        ]
        assert list(zip(found.first_frame.tolist(), found.stop_frame.tolist(), strict=True)) == expected
        np.testing.assert_array_equal(found.labels, alphabet.encode(text))


def test_long_text_is_found_where_it_was_put():
    alphabet = Alphabet()
    generator = np.random.default_rng(5)
    text = "a week full of greenish eggs"
    labels = alphabet.encode(text)
    starts = np.cumsum(generator.integers(2, 6, size=len(labels)))
    scores = np.log(generator.dirichlet(np.ones(29), size=starts[-1] + 3))
    scores[:, alphabet.blank] += 3.0
    scores[starts, labels] += 12.0
    found = align(scores, text, alphabet)
    assert ((found.first_frame <= starts) & (starts < found.stop_frame)).all()
    assert (found.first_frame[1:] >= found.stop_frame[:-1]).all()


@pytest.mark.parametrize(
    ("text", "frames", "message"),
    [
        ("", 4, "text is empty"),
        ("abcde", 4, "at least 5 frames, but there are 4"),
        ("aab", 3, "at least 4 frames, but there are 3"),
        ("naïve", 9, "'ï'"),
    ],
)
def test_what_cannot_be_aligned(text, frames, message):
    with pytest.raises(ArgumentError, match=message):
        align(np.zeros((frames, 29)), text, Alphabet())


def test_text_of_probability_0(all_paths):
    scores = all_paths.random_frames(0, 4, Alphabet(), "_ab")
    with pytest.raises(ArgumentError, match="probability 0"):
        align(scores, "ac", Alphabet())
