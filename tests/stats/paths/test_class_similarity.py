import numpy as np
import pytest
from scipy import stats

from layerstats.stats.paths.class_similarity import Items, draw_items, mean_similarities, similarity_matrix


def test_similarities_are_those_of_numpy_and_scipy():
    values = np.random.default_rng(0).normal(size=(6, 20))
    assert similarity_matrix(values, "correlation")[0] == pytest.approx(np.corrcoef(values))
    assert similarity_matrix(values, "rank")[0] == pytest.approx(stats.spearmanr(values.T).statistic)
    lengths = np.linalg.norm(values, axis=1)
    assert similarity_matrix(values, "cosine")[0] == pytest.approx(values @ values.T / np.outer(lengths, lengths))


def test_an_item_of_which_all_units_give_the_same_has_no_pattern():
    values = np.random.default_rng(0).normal(size=(4, 5))
    values[2] = 0.5
    matrix, still = similarity_matrix(values, "correlation")
    assert still.tolist() == [False, False, True, False]
    assert (matrix[2] == 0).all()
    assert (matrix[:, 2] == 0).all()


def items(seed=0, words=3, speakers=4, starts=5):
    rng = np.random.default_rng(seed)
    natural = [(word, speaker, 0) for word in range(words) for speaker in range(speakers)]
    made = [(word, speakers + word * starts + start, 1) for word in range(words) for start in range(starts)]
    # A start that was made of a speaker's token, too.
    table = np.array([*natural, *made, (0, 1, 1)])
    return Items(*table.T), similarity_matrix(rng.normal(size=(len(table), 12)), "correlation")[0]


def plain_means(matrix, of, condition, weights):
    """By the definition, a pair at a time, (word,)."""
    total = np.zeros((3, of.words.max() + 1))
    count = np.zeros_like(total)
    for i in range(len(of.words)):
        for j in np.flatnonzero(of.condition == 0):
            if of.speakers[i] == of.speakers[j]:
                continue
            same = of.words[i] == of.words[j]
            kinds = []
            if of.condition[i] == 0:
                kinds.append(0 if same else 1)
            if of.condition[i] == condition and same:
                kinds.append(2)
            for kind in kinds:
                total[kind, of.words[i]] += weights[i] * weights[j] * matrix[i, j]
                count[kind, of.words[i]] += weights[i] * weights[j]
    return total / count


def test_means_are_those_over_pairs_by_different_speakers():
    of, matrix = items()
    weights = np.stack([np.ones(len(of.words)), np.random.default_rng(1).integers(1, 4, len(of.words))])
    found = mean_similarities(matrix, of, 1, weights)
    for number, own in enumerate(weights):
        expected = plain_means(matrix, of, 1, own)
        for name, values in zip(("within", "between", "others"), expected, strict=True):
            assert getattr(found, name)[number] == pytest.approx(values)
    within, between, others = (part.mean() for part in plain_means(matrix, of, 1, weights[0]))
    expected = (others - between) / (within - between) if within > between else np.nan
    assert found.normalised[0] == pytest.approx(expected, nan_ok=True)


def test_speakers_are_drawn_with_all_that_is_theirs_and_starts_within_words():
    of, _ = items()
    weights = draw_items(of, 50, np.random.default_rng(0))
    for speaker in range(4):
        own = weights[:, of.speakers == speaker]
        assert (own == own[:, :1]).all()
    assert (weights[:, :4].sum(axis=1) == 4).all()
    starts = (of.condition == 1) & (of.speakers >= 4)
    for word in range(3):
        assert (weights[:, starts & (of.words == word)].sum(axis=1) == 5).all()
