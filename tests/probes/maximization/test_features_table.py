"""The table of Fig. 2: what is drawn is what the network heard."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier, ConvolutionalEncoder, MelAutoencoder, ModelCard, seeded
from layerstats.probes.maximization import AutoencoderPrior, features_table, hearing_of, maximize_activations, rendered

CARD = ModelCard("small", "Random weights.", outputs=("yes", "no", "up", "off"))
OPTIONS = {"starts": 2, "steps": 2, "card": CARD, "device": "cpu"}


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return CommandClassifier(outputs=4, channels=(2, 2, 2), hidden=(4, 4, 4))


@pytest.fixture(scope="module")
def prior(network):
    with seeded(1):
        return AutoencoderPrior(hearing_of(network), MelAutoencoder(codes=4, channels=(2, 2, 2, 2)))


@pytest.fixture(scope="module")
def experiment(network, prior, tmp_path_factory):
    path = tmp_path_factory.mktemp("features") / "s.zarr"
    maximize_activations(network, CARD.outputs, path, **OPTIONS)
    maximize_activations(network, CARD.outputs, path, null="zero_steps", name="null", **{**OPTIONS, "steps": 0})
    return maximize_activations(network, CARD.outputs, path, prior=prior, **OPTIONS)


def test_values_are_what_was_heard(experiment, prior):
    table = features_table(experiment, ["no"], number=1, priors=[prior])
    assert table["start"].unique().tolist() == ["no_00001"]
    assert sorted(table["set_up"].unique()) == ["autoencoder", "none"]
    outcome = experiment.outcome("autoencoder.small")
    row = outcome["start"].to_numpy().tolist().index("no_00001")
    before, after = (rendered(outcome, [row], which, prior=prior)[0] for which in ("before", "after"))
    for name, values in {"before": before, "after": after, "difference": after - before}.items():
        drawn = table[(table["set_up"] == "autoencoder") & (table["features"] == name)]
        wide = drawn.pivot_table(index="time_s", columns="mel", values="value")
        assert wide.shape == (90, 80)
        assert np.allclose(wide.to_numpy(), values, atol=1e-7)
        assert wide.index[1] == pytest.approx(256 / 22050)
    assert table.groupby("features")["value"].apply(lambda values: float(np.abs(values).max()))["difference"] > 0


def test_by_default_three_targets_of_every_set_up(experiment, prior):
    table = features_table(experiment, priors=[prior])
    assert table["target"].unique().tolist() == ["yes", "no", "up"]
    assert len(table) == 2 * 3 * 3 * 7200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"set_ups": ["none"], "targets": ["left"]},
            "no start 0 of the target 'left'. Its targets are yes, no",
        ),
        ({"set_ups": ["none"], "number": 2}, "no start 2 .* starts from 0 to 1"),
        ({"set_ups": ["other"]}, "0 sets of outcomes are of the set-up 'other'"),
        ({"network": "large"}, "and the network 'large'"),
        ({"set_ups": ["autoencoder"]}, "whose checkpoint is needed"),
    ],
)
def test_what_is_not_there_is_named(experiment, options, message):
    with pytest.raises(ArgumentError, match=message):
        features_table(experiment, **options)


def test_waveforms_are_no_features(tmp_path):
    with seeded(0):
        network = ConvolutionalEncoder(outputs=2, width=1)
    heard = maximize_activations(network, ["0"], tmp_path / "s.zarr", starts=1, steps=1, device="cpu")
    with pytest.raises(ArgumentError, match="hears \\(sample\\) and no mel features"):
        features_table(heard, ["0"])
