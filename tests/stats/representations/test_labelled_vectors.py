"""Vectors of phones are sorted by the network that they are of, and refused where phones differ."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.representations import abx, compared_networks


def vectors(layer="conv1", recording="activations", trained=True, kind="", labels="stst", speakers="aabb", shift=0.0):
    values = np.arange(3 * len(labels), dtype=float).reshape(len(labels), 3) + shift
    coords = {"label": ("phone", list(labels)), "speaker": ("phone", list(speakers))}
    attrs = {"layer": layer, "recording": recording, "trained": trained, "network_kind": kind}
    return xr.DataArray(values, dims=("phone", "channel"), coords=coords, attrs=attrs)


def test_networks_twins_and_the_sound_are_told_apart():
    given = [
        vectors("conv1"),
        vectors("conv2"),
        vectors("conv1", "untrained_00", trained=False),
        vectors("conv2", "untrained_00", trained=False),
        vectors("conv1", "untrained_01", trained=False),
        vectors("features", "mel", kind="acoustics"),
    ]
    found = compared_networks(given)
    assert list(found.network) == ["conv1", "conv2"]
    assert list(found.untrained) == ["untrained_00"], "a twin that lacks a layer is none"
    assert list(found.acoustics) == ["features"]
    narrowed = compared_networks(given, layers=["conv1"])
    assert list(narrowed.untrained) == ["untrained_00", "untrained_01"]
    assert len(narrowed.every()) == 4


def test_one_array_is_enough_and_axes_may_be_the_other_way_round():
    found = compared_networks(vectors().transpose("channel", "phone"))
    assert found.first.values().shape == (4, 3)
    assert found.first.column("label").tolist() == list("stst")
    assert not found.untrained
    assert not found.acoustics


def test_an_untrained_network_alone_has_no_twins():
    found = compared_networks([vectors(recording="untrained_00", trained=False)])
    assert list(found.network) == ["conv1"]
    assert not found.untrained


def test_an_untrained_network_that_is_asked_for_has_no_twins_either():
    given = [vectors(), *(vectors(recording=name, trained=False) for name in ("untrained_00", "untrained_01"))]
    assert not compared_networks(given, recording="untrained_00").untrained
    assert len(compared_networks(given).untrained) == 2


def test_two_spectrograms_whose_layer_is_called_the_same_are_both_there():
    phones = {"labels": "sstt" * 2, "speakers": "aaaabbbb"}
    mels = [vectors("features", name, kind="acoustics", **phones) for name in ("mel40", "mel80")]
    given = [vectors(**phones), *mels]
    found = {name: one.recording for name, one in compared_networks(given).acoustics.items()}
    assert found == {"mel40 features": "mel40", "mel80 features": "mel80"}
    result = abx(given, modes=["within"])
    assert result.comparisons["level_2"].tolist() == ["acoustics mel40 features", "acoustics mel80 features"]


def test_speakers_who_differ_but_are_written_the_same_are_refused():
    mixed = vectors().assign_coords(speaker=("phone", np.array([1, "1", 1, "1"], dtype=object)))
    with pytest.raises(DataError, match="written the same"):
        compared_networks(mixed).first.column("speaker")
    with pytest.raises(DataError, match="written the same"):
        abx(mixed)


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ([vectors().isel(channel=[])], {}, ArgumentError, "no phones or no channels"),
        ([], {}, ArgumentError, "no vectors"),
        ([np.eye(3)], {}, ArgumentError, "xarray.DataArray"),
        ([vectors().rename(phone="row")], {}, ArgumentError, "dimensions"),
        ([vectors(), vectors(recording="other")], {}, ArgumentError, "several networks: activations, other"),
        ([vectors()], {"recording": "other"}, ArgumentError, "'other'"),
        ([vectors()], {"layers": ["conv9"]}, ArgumentError, "'conv9'"),
        ([vectors(), vectors()], {}, DataError, "twice"),
        ([vectors(), vectors("conv2", labels="stss")], {}, DataError, "same phones"),
        ([vectors(), vectors("conv2", labels="sts", speakers="aab")], {}, DataError, "same phones"),
    ],
)
def test_what_cannot_be_compared_is_refused(given, options, error, message):
    with pytest.raises(error, match=message):
        compared_networks(given, **options)


def test_vectors_that_are_no_numbers_and_columns_that_are_not_there_are_refused():
    array = vectors()
    array[1, 2] = np.nan
    with pytest.raises(DataError, match="1 of 4 vectors"):
        compared_networks(array).first.values()
    with pytest.raises(DataError, match="no coordinate 'phone_class'"):
        compared_networks(array).first.column("phone_class")
    missing = array.assign_coords(sex=("phone", np.array(["F", None, "M", "M"], dtype=object)))
    with pytest.raises(DataError, match="1 of 4 phones have no 'sex'"):
        compared_networks(missing).first.column("sex")
