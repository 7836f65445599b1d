import numpy as np
import pytest
import torch

from layerstats.errors import ArgumentError
from layerstats.models.letters import Alphabet, beam_search, greedy, likeliest_texts

# Enough for every beginning of the texts below.
ALL = 100_000
SILENCE = Alphabet().letters.index("'")


def log_likelihood(scores, text, alphabet):
    """Log-probability of a text by torch's CTC loss, whose paths are summed exactly."""
    labels = torch.from_numpy(alphabet.encode(text))
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(scores)[:, None],
        labels[None],
        torch.tensor([len(scores)]),
        torch.tensor([len(labels)]),
        blank=alphabet.blank,
        reduction="sum",
    )
    return -float(loss)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("kind", "symbols"), [("ctc", "_ab "), ("repetition", "_ab2")])
def test_full_beam_is_the_sum_over_all_paths(all_paths, seed, kind, symbols):
    alphabet = Alphabet(kind)
    frames = 1 + seed % 6
    scores = all_paths.random_frames(seed, frames, alphabet, symbols)
    expected = all_paths.text_probabilities(scores, alphabet)
    found = dict(likeliest_texts(scores, alphabet, width=ALL))
    assert set(found) == set(expected)
    assert sum(np.exp(list(found.values()))) == pytest.approx(1.0)
    for text, probability in expected.items():
        assert np.exp(found[text]) == pytest.approx(probability)
    assert beam_search(scores, alphabet, width=ALL) == max(expected, key=expected.__getitem__)


def test_greedy_reads_the_best_path_which_is_not_always_the_best_text(all_paths):
    alphabet = Alphabet()
    differs = 0
    for seed in range(60):
        scores = all_paths.random_frames(seed, 5, alphabet, "_ab")
        best, _ = max(all_paths.every_path(scores), key=lambda entry: entry[1])
        assert greedy(scores, alphabet) == alphabet.decode(all_paths.collapsed(best, alphabet.blank))
        differs += greedy(scores, alphabet) != beam_search(scores, alphabet)
    assert differs > 3


def test_log_probability_is_that_of_the_loss_of_training(all_paths):
    alphabet = Alphabet()
    scores = all_paths.random_frames(3, 6, alphabet, "_abc ")
    for text, score in likeliest_texts(scores, alphabet, width=ALL)[:20]:
        if text:
            assert score == pytest.approx(log_likelihood(scores, text, alphabet), abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_narrow_beam_reads_no_worse_than_the_best_path(seed):
    """On frames as long as speech; the text's probability is bounded by what the narrow search has summed."""
    alphabet = Alphabet()
    generator = np.random.default_rng(seed)
    scores = np.log(generator.dirichlet(np.full(29, 0.05), size=40) + 1e-12)
    wide, narrow = (likeliest_texts(scores, alphabet, width=width)[0] for width in (400, 4))
    assert wide[1] >= narrow[1] - 1e-9
    best_path = scores.max(axis=1).sum()
    assert wide[1] >= best_path - 1e-9


@pytest.fixture(scope="module")
def flashlight():
    """flashlight's beam search without lexicon and language model: texts with their log-probabilities."""
    decoder = pytest.importorskip("flashlight.lib.text.decoder", reason="flashlight-text is not installed")
    alphabet = Alphabet()

    def search(scores, width):
        options = decoder.LexiconFreeDecoderOptions(
            beam_size=width,
            beam_size_token=len(alphabet.letters),
            beam_threshold=1e9,
            lm_weight=0.0,
            sil_score=0.0,
            log_add=True,
            criterion_type=decoder.CriterionType.CTC,
        )
        # It takes every text to begin and end with a letter of silence: one that is not said.
        theirs = decoder.LexiconFreeDecoder(options, decoder.ZeroLM(), SILENCE, alphabet.blank, [])
        frames = np.ascontiguousarray(scores, dtype=np.float32)
        texts = {}
        # Beginnings that end in a blank and those that end in a letter are results of their own there.
        for result in theirs.decode(frames.ctypes.data, *frames.shape):
            text = alphabet.decode(alphabet.collapse(result.tokens[1:-1]))
            texts[text] = np.logaddexp(texts.get(text, -np.inf), result.score)
        return texts

    return search


@pytest.mark.parametrize("seed", range(10))
def test_second_opinion_on_few_frames(all_paths, flashlight, seed):
    alphabet = Alphabet()
    scores = np.maximum(all_paths.random_frames(seed, 6, alphabet, "_abc "), -80.0)
    theirs, ours = flashlight(scores, 20_000), likeliest_texts(scores, alphabet, width=20_000)
    assert ours[0][0] == max(theirs, key=theirs.__getitem__)
    for text, score in ours[:50]:
        assert score == pytest.approx(theirs[text], abs=1e-4)


def test_second_opinion_on_many_frames(flashlight):
    """There both searches prune; the text found here is never the less likely one by the loss of training."""
    alphabet = Alphabet()
    same = 0
    for seed in range(12):
        generator = np.random.default_rng(seed)
        scores = np.log(generator.dirichlet(np.full(29, 0.08), size=int(generator.integers(5, 40))) + 1e-9)
        scores[:, SILENCE] = -60.0
        theirs = flashlight(scores, 500)
        best, ours = max(theirs, key=theirs.__getitem__), beam_search(scores, alphabet, width=500)
        same += best == ours
        assert log_likelihood(scores, ours, alphabet) >= log_likelihood(scores, best, alphabet) - 1e-6
    assert same >= 6


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros((3, 31)), r"\(frame, 29\) for the alphabet 'ctc', but got an array \(3, 31\)"),
        (np.zeros(29), r"\(29,\)"),
        (np.full((2, 29), np.nan), "frame 0 are NaN"),
        (np.concatenate([np.zeros((1, 29)), np.full((1, 29), -np.inf)]), "frame 1 are NaN, infinite or all"),
        (np.zeros((0, 29)), "none"),
    ],
)
@pytest.mark.parametrize("read", [greedy, beam_search])
def test_no_log_probabilities(read, scores, message):
    with pytest.raises(ArgumentError, match=message):
        read(scores, Alphabet())


def test_width_is_positive():
    with pytest.raises(ArgumentError, match="'width'"):
        beam_search(np.zeros((2, 29)), Alphabet(), width=0)
