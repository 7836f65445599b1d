"""Contrasts of contrasts in stores with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import Contrast, FitOptions, IntervalOptions, contrast_of_contrasts
from layerstats.store import Experiment, open_store, store_arrays

HOPS = {"conv1": 0.04, "conv2": 0.05}
CLIP_S = 0.4
FAST = {"fits": FitOptions(rho=None, workers=1), "intervals": IntervalOptions(draws=500)}


def planted(folder, *, people=12, repeats=2, level=0.0, later=0.0, offsets=False, untrained=0, seed=0) -> Experiment:
    """[s] and [sh] by women and men, under all of the clip; ask and wash.

    The contrast [sh] - [s] is 0.5 for women, and for men larger by `level`; at conv2 it is larger by `later` for all.
    With `offsets` tokens and speakers differ by constants alone.
    """
    rng = np.random.default_rng(seed)
    speakers = np.repeat(np.arange(people), 2 * repeats)
    groups = np.tile([0, 1], people * repeats)
    men = speakers % 2
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:03}" for number in range(len(groups))],
            "word": np.where(groups == 1, "wash", "ask"),
            "speaker": [f"sp{speaker:02}" for speaker in speakers],
            "split": "test",
            "sex": np.where(men == 1, "m", "f"),
            "onset_s": 0.0,
            "duration_s": CLIP_S,
        }
    )
    # Names that tables of results know too.
    tokens = tokens.assign(**dict.fromkeys(["cell", "tokens", "speakers", "level"], tokens["sex"]))
    phones = pd.DataFrame(
        {
            "token": tokens["token"],
            "phone_index": 0,
            "label": np.where(groups == 1, "sh", "s"),
            "onset_s": 0.0,
            "offset_s": CLIP_S,
            "position": np.where(np.arange(len(groups)) % 4 < 2, "initial", "final"),
        }
    )
    of_speaker = rng.normal(scale=0.4, size=people)[speakers]
    of_version = rng.normal(scale=0.3, size=(people, 2))[speakers, groups]
    of_token = rng.normal(scale=0.5, size=len(groups))

    def values(layer: str, scale: float, moved: float) -> np.ndarray:
        time = times(layer) / CLIP_S
        own = rng.normal(scale=0.0 if offsets else 0.4, size=(len(groups), 1)) * (time - 0.5)
        curves = (of_speaker + of_version + of_token + groups * (0.5 + moved + level * men))[:, None] + own
        noise = rng.normal(scale=0.05, size=(len(groups), len(time)))
        return scale * (np.sin(np.pi * time) + curves + noise)

    common = {
        "phones": phones,
        "time_s": {layer: times(layer) for layer in HOPS},
        "layer_attrs": {layer: {"hop_s": hop, "receptive_field_s": 2 * hop} for layer, hop in HOPS.items()},
    }
    trained = {"conv1": values("conv1", 1, 0), "conv2": values("conv2", 5, later)}
    store_arrays(folder / "s.zarr", tokens, trained, **common)
    for number in range(untrained):
        arrays = {layer: values(layer, 2, 0) for layer in HOPS}
        twin = {"name": f"untrained_{number:02}", "attrs": {"trained": False}}
        store_arrays(folder / "s.zarr", tokens, arrays, **twin, **common)
    return open_store(folder / "s.zarr")


def times(layer: str) -> np.ndarray:
    return (np.arange(round(CLIP_S / HOPS[layer])) + 0.5) * HOPS[layer]


def speaker_contrasts(store: Experiment) -> pd.Series:
    """The mean [sh] of each speaker minus their mean [s], by hand."""
    frame = store.to_frame("conv1")
    means = frame.groupby(["speaker", "word", "token"])["value"].mean().groupby(["speaker", "word"]).mean().unstack()
    return means["wash"] - means["ask"]


def test_the_level_test_is_the_two_sample_t_of_speakers_contrasts(tmp_path):
    store = planted(tmp_path, repeats=4, level=0.3, offsets=True)
    result = contrast_of_contrasts(store, "sh:s", by="sex=m:f", layers=["conv1"], **FAST)
    own = speaker_contrasts(store)
    men = np.arange(len(own)) % 2 == 1
    expected = stats.ttest_ind(own[men], own[~men])
    row = result.tests.iloc[0]
    assert row["level_df"] == expected.df == 10
    assert row["level_difference"] == pytest.approx(own[men].mean() - own[~men].mean(), rel=0.01)
    assert row["level_statistic"] == pytest.approx(expected.statistic, rel=0.02)
    assert row["level_p_value"] == pytest.approx(expected.pvalue, rel=0.05)
    assert result.level_units == "12 speakers, less one for each of 2 groups"


def test_within_speakers_it_is_the_one_sample_t(tmp_path):
    store = planted(tmp_path, repeats=8, offsets=True)
    result = contrast_of_contrasts(
        store, "sh:s", by="phones.position=final:initial", layers=["conv1"], samples=8, **FAST
    )
    frame = store.to_frame("conv1").merge(store.phones.loc[:, ["token", "position"]], on="token")
    means = frame.groupby(["speaker", "position", "word", "token"])["value"].mean()
    cells = means.groupby(["speaker", "position", "word"]).mean().unstack(["position", "word"])
    own = (cells["final", "wash"] - cells["final", "ask"]) - (cells["initial", "wash"] - cells["initial", "ask"])
    row = result.tests.iloc[0]
    assert row["level_df"] == len(own) - 1
    assert row["level_difference"] == pytest.approx(own.mean(), abs=0.005)
    # Speakers differ in neither column here by their own double difference, so that the model may pool tokens.
    assert abs(row["level_statistic"]) == pytest.approx(abs(stats.ttest_1samp(own, 0).statistic), abs=0.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return planted(tmp_path_factory.mktemp("crossed"), people=10, level=2.0, later=2.5, untrained=4)


@pytest.fixture(scope="module")
def crossed(store):
    return contrast_of_contrasts(store, "s:sh", by="sex=f:m", **FAST)


def test_what_is_planted_is_found(crossed):
    tests = crossed.tests.set_index("layer")
    # (s - sh | f) - (s - sh | m) = -0.5 - (-0.5 - 2) = 2, and on conv2's scale five times that.
    assert tests.loc["conv1", "level_difference"] == pytest.approx(2, abs=0.8)
    assert tests.loc["conv2", "level_difference"] == pytest.approx(10, abs=4)
    assert (tests["joint_p_adjusted"] < 0.05).all()
    assert set(crossed.difference["level_1"]) == {"f"}
    assert tests["family"].tolist() == ["(s - sh), f - m, over layers; each test by itself"] * 2
    assert set(crossed.regions["sign"]) == {"positive"}


def test_the_double_difference_is_that_of_four_predicted_cells(crossed):
    """By the definition: each cell predicted by itself, and standard errors from all pairs of coefficients."""
    result = crossed.results["conv1"]
    curve = crossed.difference.loc[crossed.difference["layer"] == "conv1"].reset_index(drop=True)
    signs = {("s", "f"): 1, ("sh", "f"): -1, ("s", "m"): -1, ("sh", "m"): 1}
    for place in (0, 37, 99):
        rows = pd.DataFrame(
            [
                {
                    "phone_set": phone, "sex": sex, "time": curve["time"][place],
                    "phone_set_by_sex": "sh:m" if (phone, sex) == ("sh", "m") else "other",
                }
                for phone, sex in signs
            ]
        )  # fmt: skip
        fits = result.predict(rows, exclude=result.random_terms)["fit"].to_numpy()
        assert curve["diff"][place] == pytest.approx(np.dot(list(signs.values()), fits), abs=1e-9)
        design = result.design(rows, exclude=result.random_terms)
        weights = sum(sign * row for sign, row in zip(signs.values(), design.matrix, strict=True))
        variance = sum(
            weights[i] * design.covariance[i, j] * weights[j] for i in range(len(weights)) for j in range(len(weights))
        )
        assert curve["std_error"][place] == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_it_is_the_contrast_of_one_side_minus_that_of_the_other(crossed):
    sides = crossed.contrasts.query("layer == 'conv1'").set_index("by_level")
    double = crossed.difference.query("layer == 'conv1'")["diff"].to_numpy()
    assert double == pytest.approx(sides.loc["f", "diff"].to_numpy() - sides.loc["m", "diff"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"by": "sex=f:m", "layers": ["conv2"]}, {"by": "sex=m:f", "layers": ["conv2"]}),
        ({"by_layers": ("conv1", "conv2")}, {"by_layers": ("conv2", "conv1")}),
        (
            {"by_recordings": ("activations", "untrained_00"), "layers": ["conv2"]},
            {"by_recordings": ("untrained_00", "activations"), "layers": ["conv2"]},
        ),
    ],
)
def test_turned_round_only_the_sign_changes(store, first, second):
    one = contrast_of_contrasts(store, "s:sh", **first, **FAST)
    for other in (
        contrast_of_contrasts(store, "sh:s", **first, **FAST),
        contrast_of_contrasts(store, "s:sh", **second, **FAST),
    ):
        for name in ("level_difference", "level_statistic"):
            assert (other.tests[name] == -one.tests[name]).all()
        for name in ("joint_p_value", "level_p_value", "shape_p_value", "effect_size", "effect_conf_high"):
            assert (other.tests[name] == one.tests[name]).all()
        assert (other.difference["diff"] == -one.difference["diff"]).all()
        assert (other.difference["conf_low"] == -one.difference["conf_high"]).all()


def test_layers_are_compared_in_units_of_their_tokens(store):
    result = contrast_of_contrasts(store, "sh:s", by_layers=("conv2", "conv1"), **FAST)
    row = result.tests.iloc[0]
    assert row["layer"] == "conv2 - conv1"
    assert row["joint_p_value"] < 0.01
    effects = result.effects.set_index("by_level")["effect_size"]
    assert effects["conv2"] > effects["conv1"]
    # 2.5 in units of about 1.1: half of the tokens of [sh] are men's, two higher than women's.
    assert row["level_difference"] == pytest.approx(2.3, abs=0.8)
    assert (result.cells["tokens"] == 20).all()


def test_a_scale_does_not_matter_and_can_be_kept(store, tmp_path):
    """The twin whose values are 2 times as large, written once more with another factor."""
    plain = contrast_of_contrasts(store, "s:sh", by_recordings=("activations", "untrained_01"), **FAST)
    kept = contrast_of_contrasts(
        store, "s:sh", by_recordings=("activations", "untrained_01"), scale="none", layers=["conv1"], **FAST
    )
    twin = store.recording("untrained_01")
    phones = store.phones
    arrays = {layer: 7.0 * twin.layer(layer)["mean"].to_numpy() + 3.0 for layer in HOPS}
    store_arrays(
        tmp_path / "other.zarr", store.tokens, arrays, phones=phones, time_s={layer: times(layer) for layer in HOPS}
    )
    other = contrast_of_contrasts(store, "s:sh", by_recordings=(store, open_store(tmp_path / "other.zarr")), **FAST)
    for name in ("level_difference", "level_std_error", "joint_statistic", "shape_statistic"):
        assert other.tests[name].to_numpy() == pytest.approx(plain.tests[name].to_numpy(), rel=1e-3)
    # As recorded, the twin's contrast is twice as large.
    assert kept.tests["level_difference"].iloc[0] == pytest.approx(-1.5 + 2 * 1.5, abs=0.8)
    assert "as recorded" in kept.notes[0]


def test_training_asks_two_questions(store):
    result = contrast_of_contrasts(store, "sh:s", by_training=True, **FAST)
    assert result.tests[["level_1", "level_2"]].drop_duplicates().to_numpy().tolist() == [["trained", "untrained"]]
    conv2 = result.tests.set_index("layer").loc["conv2"]
    assert conv2["joint_p_value"] < 0.01
    # Of five networks the trained one is the furthest: as low as p can fall.
    assert conv2["null_p_value"] == pytest.approx(1 / 5)
    assert conv2["null_recordings"] == 4
    assert set(result.network_tests["test"]) == {"joint", "level", "shape"}
    assert len(result.networks) == 2 * 5 * 3
    assert "count speakers" in result.notes[-1]
    assert "count networks" in result.notes[-1]


def test_a_layer_that_cannot_be_tested_says_why(store):
    few = store.select(token=[*store.tokens.loc[store.tokens["sex"] == "f", "token"].tolist()[:8], "t004"])
    with pytest.raises(DataError, match=r"No layer can be tested. conv1: too few series \(s of m"):
        contrast_of_contrasts(few, "s:sh", by="sex=f:m", **FAST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one of 'by', 'by_layers', 'by_recordings' and 'by_training', but got none"),
        ({"by": "sex=f:m", "by_training": True}, "but got by, by_training"),
        ({"by": "phones.label=s:sh"}, "Both contrasts are between levels of"),
        ({"by": "sex=f:x"}, "There is no sex 'x'"),
        ({"by_layers": ("conv1", "conv1")}, "layers to compare must differ"),
        ({"by_layers": ("conv1",)}, "'by_layers' parameter must be two"),
        ({"by_layers": ("conv1", "conv9")}, "'by_layers'.*'conv9'"),
        ({"by_recordings": ("activations", "activations")}, "recordings to compare must differ"),
        ({"by_recordings": ("activations", 2)}, "names of recordings, or stores .* got 2"),
    ],
)
def test_what_cannot_be_asked(store, options, message):
    with pytest.raises(ArgumentError, match=message):
        contrast_of_contrasts(store, "s:sh", **options, **FAST)


def test_a_table_is_no_store(store):
    with pytest.raises(ArgumentError, match="read from a store, but got a table"):
        contrast_of_contrasts(store.to_frame("conv1"), "s:sh", by="sex=f:m", **FAST)


def test_tokens_have_no_position_of_a_phone(store):
    with pytest.raises(ArgumentError, match="is a property of phones"):
        contrast_of_contrasts(store, "word=ask:wash", by="phones.position=initial:final", **FAST)


def test_without_untrained_networks_training_is_no_side(tmp_path):
    with pytest.raises(DataError, match="no recordings of untrained networks"):
        contrast_of_contrasts(planted(tmp_path), "s:sh", by_training=True, **FAST)


def test_padded_words_of_two_layers_stand_on_one_axis(store):
    result = contrast_of_contrasts(store, "word=wash:ask", by_layers=("conv2", "conv1"), **FAST)
    assert result.difference["time_ms"].between(0, 1000 * CLIP_S).all()
    assert result.tests["samples"].tolist() == [8]
    assert result.tests["joint_p_value"].iloc[0] < 0.01


def test_words_can_be_crossed_too(store):
    result = contrast_of_contrasts(
        store, Contrast.of_words("wash", "ask", variant="word"), by="sex=f:m", layers=["conv2"], **FAST
    )
    assert result.tests["contrast"].tolist() == ["wash - ask"]
    assert result.tests["joint_p_value"].iloc[0] < 0.05


def test_the_other_column_can_be_words(store):
    tests = [
        contrast_of_contrasts(store, contrast, by=by, layers=["conv2"], **FAST).tests
        for contrast, by in (("word=wash:ask", "sex=f:m"), ("sex=f:m", "word=wash:ask"))
    ]
    for column in ("level_difference", "level_p_value", "joint_p_value"):
        assert tests[0][column].item() == pytest.approx(tests[1][column].item(), rel=1e-4)
    with pytest.raises(DataError, match=r"too few series \(sh of ask: 0, s of wash: 0"):
        contrast_of_contrasts(store, "s:sh", by="word=ask:wash", **FAST)


@pytest.mark.parametrize("column", ["cell", "tokens", "speakers", "level"])
def test_columns_may_have_the_names_of_results(store, column):
    expected, found = (
        contrast_of_contrasts(store, "s:sh", by=f"{name}=f:m", layers=["conv1"], **FAST) for name in ("sex", column)
    )
    pd.testing.assert_frame_equal(found.tests, expected.tests)
    pd.testing.assert_frame_equal(found.cells, expected.cells)


def test_tokens_that_one_side_lacks_are_listed(store):
    part = store.select(token=store.tokens["token"].tolist()[4:])
    result = contrast_of_contrasts(store, "s:sh", by_recordings=(part, "untrained_00"), layers=["conv1"], **FAST)
    assert result.dropped["token"].tolist() == ["t000", "t001", "t002", "t003"]
    assert result.dropped["note"].unique().tolist() == ["not in all of the recordings that are compared"]
    assert result.tests["tokens"].item() == len(store.tokens) - 4
