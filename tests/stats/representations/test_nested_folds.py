"""The nested folds of a probe against scikit-learn's own pieces put together by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from layerstats.errors import ArgumentError
from layerstats.stats.representations.nested_folds import ProbeOptions, predict_held_out, speaker_folds

OPTIONS = ProbeOptions(folds=4, inner_folds=3, inverse_penalties=(0.3, 1e-3, 1e-2), tolerance=1e-6)


def drawn(seed=0, speakers=9, each=30, channels=12, levels=3, apart=0.7):
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(levels, channels)) * apart
    speaker = np.repeat(np.arange(speakers), each)
    code = rng.choice(levels, size=speakers * each, p=[0.6, 0.3, 0.1])
    values = means[code] + rng.normal(size=(speakers, channels))[speaker] + rng.normal(size=(len(code), channels))
    return 100 + 7 * values, code, speaker


def test_predictions_are_those_of_a_pipeline_made_by_hand():
    values, codes, speakers = drawn()
    found = predict_held_out(values, codes, speakers, OPTIONS)
    expected, chosen = np.full(len(codes), -1), []
    for learn, held in GroupKFold(4).split(values, codes, speakers):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000, tol=1e-6))
        inner = list(GroupKFold(3).split(values[learn], codes[learn], speakers[learn]))
        scores = []
        for penalty in (1e-3, 1e-2, 0.3):
            answers = np.full(len(learn), -1)
            for known, new in inner:
                pipeline.set_params(logisticregression__C=penalty).fit(values[learn][known], codes[learn][known])
                answers[new] = pipeline.predict(values[learn][new])
            scores.append(balanced_accuracy_score(codes[learn], answers))
        chosen.append((1e-3, 1e-2, 0.3)[int(np.argmax(scores))])
        pipeline.set_params(logisticregression__C=chosen[-1]).fit(values[learn], codes[learn])
        expected[held] = pipeline.predict(values[held])
    assert found.chosen.tolist() == chosen
    # Answers where two levels are all but equally likely may differ by how far the optimum was followed.
    assert np.mean(found.predicted == expected) > 0.99
    assert found.unfinished == 0


def test_what_the_probe_is_scored_on_has_no_part_in_it():
    """Vectors of held-out speakers are moved: nothing that was learned changes, so others are predicted as before."""
    values, codes, speakers = drawn(1)
    outer = speaker_folds(speakers, 4)
    before = predict_held_out(values, codes, speakers, OPTIONS)
    other_labels = np.where(outer == 0, (codes + 1) % 3, codes)
    after = predict_held_out(values, other_labels, speakers, OPTIONS)
    assert np.array_equal(before.predicted[outer == 0], after.predicted[outer == 0])
    assert not np.array_equal(before.predicted[outer != 0], after.predicted[outer != 0])


def test_the_search_of_scikit_learn_chooses_the_same_penalty_where_folds_are_equal():
    values, codes, speakers = drawn(2, speakers=8, apart=0.4)
    options = ProbeOptions(folds=2, inner_folds=2, inverse_penalties=(1e-5, 1e-2, 10.0))
    found = predict_held_out(values, codes, speakers, options)
    for fold, (learn, _) in enumerate(GroupKFold(2).split(values, codes, speakers)):
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=5000))
        grid = {"logisticregression__C": [1e-5, 1e-2, 10.0]}
        search = GridSearchCV(model, grid, scoring="balanced_accuracy", cv=GroupKFold(2))
        search.fit(values[learn], codes[learn], groups=speakers[learn])
        assert found.chosen[fold] == search.best_params_["logisticregression__C"]


def test_a_fold_holds_whole_speakers_and_no_more_folds_are_made_than_there_are():
    speakers = np.repeat([0, 1, 2], [5, 2, 9])
    folds = speaker_folds(speakers, 10)
    assert len(set(folds)) == 3
    assert all(len(set(folds[speakers == speaker])) == 1 for speaker in range(3))


def test_one_penalty_needs_no_inner_folds_and_one_level_no_fit():
    values, codes, speakers = drawn(3)
    one = predict_held_out(values, codes, speakers, ProbeOptions(inverse_penalties=(0.01,)))
    assert set(one.chosen) == {0.01}
    same = predict_held_out(values, np.zeros(len(codes), dtype=int), speakers, OPTIONS)
    assert set(same.predicted) == {0}


def test_fits_that_stop_early_are_counted():
    values, codes, speakers = drawn(4)
    options = ProbeOptions(most_iterations=1, inverse_penalties=(1.0,), tolerance=1e-8)
    assert predict_held_out(values, codes, speakers, options).unfinished == 5


@pytest.mark.parametrize(
    "wrong", [{"folds": 1}, {"inner_folds": 0}, {"inverse_penalties": ()}, {"inverse_penalties": (0.0,)}]
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        ProbeOptions(**wrong)
