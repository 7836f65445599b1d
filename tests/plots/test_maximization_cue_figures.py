import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import code_arrows, displacement_by_margin, exaggeration_curves, named_cues, path_similarity


def curves(words=("six", "yes"), measures=("level", "F2 band")):
    time = np.linspace(0, 1, 5)
    rows = [
        pd.DataFrame({"time": time, "diff": 2.0, "conf_low": 1.0, "conf_high": 3.0, "natural_sd": 2.0}).assign(
            word=word, measure=measure, level_1="maximized", level_2="natural"
        )
        for word in words
        for measure in measures
    ]
    return pd.concat(rows, ignore_index=True)


def test_curves_are_in_natural_standard_deviations_but_not_in_those_of_silence(built, panels):
    frame = curves()
    frame.loc[0, "natural_sd"] = 0.0
    figure = exaggeration_curves(frame)
    assert len(panels(figure)) == 4
    line = built(figure)[-1]
    assert line["y"].round(6).drop(0).eq(1.0).all()
    # A quarter of the mean over time, 1.6.
    assert line["y"].iloc[0] == pytest.approx(2 / 0.4)


def test_too_many_words_or_pairs_of_conditions_are_refused():
    with pytest.raises(ArgumentError, match="9 and 2"):
        exaggeration_curves(curves(words=tuple("abcdefghi")))
    two = pd.concat([curves(), curves().assign(level_2="before")])
    with pytest.raises(ArgumentError, match="one pair of conditions"):
        exaggeration_curves(two)
    with pytest.raises(DataError, match="natural_sd"):
        exaggeration_curves(curves().drop(columns="natural_sd"))


def cues():
    rows = [
        (word, "a cue", condition, reference, value)
        for condition, reference in (("maximized", "natural"), ("before", "natural"), ("maximized", "before"))
        for word, value in (("six", 1.0), ("yes", -1.0))
    ]
    frame = pd.DataFrame(rows, columns=["word", "cue", "level_1", "level_2", "exaggeration"])
    return frame.assign(conf_low=frame["exaggeration"] - 1, conf_high=frame["exaggeration"] + 1)


def test_cues_are_in_the_order_of_their_exaggeration_against_natural_speech(built):
    points = built(named_cues(cues()))[2]
    assert len(points) == 4
    maximized = points.sort_values("y").groupby("group")["x"].apply(list).iloc[0]
    assert maximized == [-1.0, 1.0]
    with pytest.raises(DataError, match="no row"):
        named_cues(cues(), reference="reconstructed")


def test_untrained_networks_have_a_panel_of_their_own(built, panels):
    rows = [
        ("commands", 0, trained, layer, "maximized", place)
        for trained in (True, False)
        for place, layer in enumerate(("conv1", "conv2", "conv10"))
    ]
    frame = pd.DataFrame(rows, columns=["network", "network_seed", "trained", "layer", "condition", "path_similarity"])
    frame = frame.assign(conf_low=0.0, conf_high=frame["path_similarity"] + 1.0)
    figure = path_similarity(frame)
    assert panels(figure) == [("commands, seed 0",), ("untrained commands, seed 0",)]
    assert built(figure)[3]["x"].tolist() == [0, 1, 2, 0, 1, 2]


def points():
    frame = pd.DataFrame({"start_name": list("abc"), "word": ["no", "no", "yes"], "speaker": ["p1", "p2", "p1"]})
    frame = frame.assign(misclassified=[True, False, True], axis_1=[0.0, 1.0, 2.0], axis_2=0.0)
    return pd.concat([frame.assign(moment="before"), frame.assign(moment="after", axis_2=5.0)], ignore_index=True)


def test_arrows_go_from_before_to_after_of_the_misclassified(built):
    others, arrows, hollow, filled = built(code_arrows(points()))
    assert arrows[["x", "y", "xend", "yend"]].to_numpy().tolist() == [[0, 0, 0, 5], [2, 0, 2, 5]]
    assert others[["x", "y"]].to_numpy().tolist() == [[1, 5]]
    assert set(hollow["fill"]) == {"white"}
    assert filled["fill"].nunique() == 2
    arrows, hollow, _ = built(code_arrows(points(), "speaker", misclassified=False))
    assert len(arrows) == 3
    with pytest.raises(ArgumentError, match="color"):
        code_arrows(points(), "voice")


def test_displacement_stands_against_the_distance_asked_for(built):
    frame = pd.DataFrame({"margin": [-1.0, 2.0], "boundary_distance": [-0.1, 0.3], "displacement": [3.0, 1.0]})
    frame = frame.assign(misclassified=frame["margin"] < 0)
    assert sorted(built(displacement_by_margin(frame))[1]["x"]) == [-1.0, 2.0]
    assert sorted(built(displacement_by_margin(frame, "boundary_distance"))[1]["x"]) == [-0.1, 0.3]
    with pytest.raises(DataError, match="misclassified"):
        displacement_by_margin(frame.drop(columns="misclassified"))
