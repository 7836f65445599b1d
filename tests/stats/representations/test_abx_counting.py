"""Errors of ABX against a loop over all triplets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from abx_by_hand import angle, cells_by_hand, euclidean, rate_by_hand

from layerstats.errors import DataError
from layerstats.stats.representations import abx_counting
from layerstats.stats.representations.abx_counting import comparable, count_errors
from layerstats.stats.representations.abx_design import AbxDesign, AbxSampling
from layerstats.stats.representations.abx_rates import jackknifed_rates


def some_phones(items: int, seed: int = 0, speakers: int = 3) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "label": generator.choice(["s", "sh", "t"], items, p=[0.5, 0.3, 0.2]),
            "speaker": generator.choice([f"f{n}" for n in range(speakers)], items),
            "previous": generator.choice(["#", "a"], items),
            "following": generator.choice(["i", "u"], items),
        }
    )


def off_diagonal(design: AbxDesign) -> np.ndarray:
    return np.where(np.eye(len(design.labels), dtype=bool), -1, 0)


@pytest.mark.parametrize("mode", ["within", "across"])
@pytest.mark.parametrize("context", ["any", "same"])
@pytest.mark.parametrize(("distance", "by_hand"), [("angular", angle), ("euclidean", euclidean)])
def test_every_triplet_is_counted(mode, context, distance, by_hand, monkeypatch):
    monkeypatch.setattr(abx_counting, "_BLOCK", 64)  # several blocks
    phones = some_phones(60)
    # Small whole numbers: many vectors are the same, or equally far.
    values = np.random.default_rng(1).integers(-1, 2, (60, 3)).astype(float)
    values[~values.any(axis=1)] = 1.0
    design = AbxDesign.of(phones, context=context)
    errors = count_errors(values, design, mode, distance)
    cells = cells_by_hand(values, phones, mode, context, by_hand)
    rates = jackknifed_rates(errors, off_diagonal(design))
    assert errors.triplets == sum(map(len, cells.values()))
    assert any(0.5 in found for found in cells.values())
    assert rates.estimate[0] == pytest.approx(rate_by_hand(cells), abs=1e-12)
    expected = [rate_by_hand(cells, speaker) for speaker in design.speakers]
    assert rates.without[:, 0] == pytest.approx(expected, abs=1e-12)


def test_a_toy_whose_errors_can_be_counted_on_the_fingers():
    # On a circle, in degrees: a at 0 and 10, b at 4 and 90. X = a(0): b(4) is nearer than a(10), b(90) is not.
    # X = a(10): a(0) is 10 away, b(4) 6, b(90) 80. X = b(4): b(90) is 86 away, a 4 and 6. X = b(90): 86; 90 and 80.
    degrees = np.deg2rad([0, 10, 4, 90])
    values = np.column_stack([np.cos(degrees), np.sin(degrees)])
    phones = pd.DataFrame({"label": list("aabb"), "speaker": "f1"})
    errors = count_errors(values, AbxDesign.of(phones), "within")
    assert errors.total.tolist() == [[0, 0.5], [0.75, 0]]
    assert errors.triplets == 8


def test_equal_vectors_are_ties_wherever_they_stand():
    phones = some_phones(40, seed=3)
    values = np.tile(np.random.default_rng(0).normal(size=(1, 300)), (40, 1))
    for mode in ("within", "across"):
        errors = count_errors(values, AbxDesign.of(phones), mode)
        assert np.all(errors.total == errors.cells / 2)


def test_silent_vectors_are_far_from_all_but_each_other():
    phones = pd.DataFrame({"label": ["a", "a", "b", "b"], "speaker": "f1"})
    values = np.array([[0.0, 0], [0, 0], [1, 0], [0, 1]])
    # a and a are the same; to b, another b is nearer than silence.
    assert count_errors(values, AbxDesign.of(phones), "within").total.sum() == 0


def test_distances_are_those_of_libri_light():
    # What its unit tests (eval/ABX_src/unit_tests.py, Kahn et al. 2020) expect, in parts of pi.
    x = np.array([[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, -1, 0], [0.5, -0.5, 0.5, -0.5]])
    y = np.array([[-0.5, -0.5, -0.5, 0.5], [0, 0, 0, 0], [0, 1, 0, 0]])
    expected = np.array([[2 / 3, 1, 1 / 2], [1, 0, 1], [1 / 3, 1, 1 / 2], [2 / 3, 1, 2 / 3]])
    vectors, offset = comparable(np.concatenate([x, y]), "angular")
    similarity = vectors[:4] @ vectors[4:].T + offset[4:]
    # Only orders matter: what is nearer to each x, and what is equally far.
    for own, distance in zip(similarity, expected, strict=True):
        assert (
            np.sign(np.subtract.outer(own, own).round(9)).tolist()
            == np.sign(np.subtract.outer(distance, distance).round(9) * -1).tolist()
        )


def test_sizes_of_vectors_do_not_matter_to_angles():
    phones = some_phones(50)
    values = np.random.default_rng(5).normal(size=(50, 4))
    sizes = 10.0 ** np.random.default_rng(6).integers(-200, 200, (50, 1))
    for mode in ("within", "across"):
        one, other = (count_errors(some, AbxDesign.of(phones), mode) for some in (values, values * sizes))
        assert one.total.tolist() == other.total.tolist()


def test_euclidean_distances_do_not_depend_on_where_the_origin_is():
    phones = some_phones(50)
    values = np.random.default_rng(5).normal(size=(50, 4))
    one, other = (
        count_errors(some, AbxDesign.of(phones), "within", "euclidean") for some in (values, 1e-3 * values + 10)
    )
    assert one.total.tolist() == other.total.tolist()
    vectors, offset = comparable(np.ones((3, 2)), "euclidean")
    assert np.all(vectors == 0)
    assert np.all(offset == 0)


def test_the_order_of_phones_does_not_matter():
    phones = some_phones(80)
    values = np.random.default_rng(5).normal(size=(80, 4))
    order = np.random.default_rng(6).permutation(80)
    for mode in ("within", "across"):
        one = count_errors(values, AbxDesign.of(phones, context="same"), mode)
        other = count_errors(values[order], AbxDesign.of(phones.iloc[order], context="same"), mode)
        assert other.total == pytest.approx(one.total, abs=1e-12)
        assert one.triplets == other.triplets


def test_a_sample_is_the_same_for_a_seed_and_no_larger_than_asked():
    phones = some_phones(300, speakers=6)
    values = np.random.default_rng(5).normal(size=(300, 4))
    few = AbxDesign.of(phones, sampling=AbxSampling(phones=4, speakers=2, seed=1))
    assert pd.DataFrame({"label": few.label, "speaker": few.speaker}).value_counts().max() == 4
    assert "were left out at random" in few.notes[0]
    again = AbxDesign.of(phones, sampling=AbxSampling(phones=4, speakers=2, seed=1))
    other = AbxDesign.of(phones, sampling=AbxSampling(phones=4, speakers=2, seed=2))
    assert few.rows.tolist() == again.rows.tolist() != other.rows.tolist()
    errors = count_errors(values[few.rows], few, "across")
    assert errors.cells.max() == 6 * 2
    assert count_errors(values[few.rows], again, "across").total.tolist() == errors.total.tolist()
    everyone = AbxDesign.of(phones, sampling=AbxSampling(phones=300, speakers=5))
    exact = count_errors(values, AbxDesign.of(phones), "across")
    assert count_errors(values, everyone, "across").total.tolist() == exact.total.tolist()
    assert not everyone.notes


def test_a_sample_estimates_what_all_triplets_give():
    phones = some_phones(900, speakers=6)
    values = np.random.default_rng(5).normal(size=(900, 4)) + (phones["label"] == "s").to_numpy()[:, None]
    few = AbxDesign.of(phones, sampling=AbxSampling(phones=12))
    thin, full = (count_errors(values[d.rows], d, "within") for d in (few, AbxDesign.of(phones)))
    assert thin.triplets < full.triplets / 5
    assert np.nansum(thin.total) / thin.cells.sum() == pytest.approx(full.total.sum() / full.cells.sum(), abs=0.03)


def test_what_cannot_be_told_apart_is_refused():
    phones = some_phones(20)
    with pytest.raises(DataError, match="'previous'"):
        AbxDesign.of(phones.drop(columns="previous"), context="same")
    with pytest.raises(DataError, match="None of the phones x is"):
        AbxDesign.of(phones, wanted=["x"])
    with pytest.raises(DataError, match="Two values of 'label' or more"):
        AbxDesign.of(phones, wanted=["s"])
    with pytest.raises(DataError, match="required column 'speaker'"):
        AbxDesign.of(phones.assign(speaker=[None, *phones["speaker"][1:]]))
    assert "Not among the vectors' phones: x." in AbxDesign.of(phones, wanted=["s", "sh", "x"]).notes


def test_silence_is_compared_only_where_it_is_named():
    phones = some_phones(40).assign(phone_class="silence")
    phones.loc[phones["label"] != "t", "phone_class"] = "voiceless_fricative"
    assert AbxDesign.of(phones).labels == ("s", "sh")
    assert "stretches of silence" in AbxDesign.of(phones).notes[0]
    assert AbxDesign.of(phones, wanted=["s", "t"]).labels == ("s", "t")
