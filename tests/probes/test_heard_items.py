import json

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import clips_for, demo_corpus
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.models import CommandClassifier, ConvolutionalEncoder, MelAutoencoder, seeded
from layerstats.probes import (
    HeardItems,
    boundary_distance,
    maximize_activations,
    natural_items,
    outcome_items,
    record_heard,
)
from layerstats.probes.maximization import AutoencoderPrior, Hearing, hearing_of
from layerstats.stats import compare_networks, compare_paths, cue_tests, measure_exaggeration, read_moved_codes
from layerstats.store import open_store

WORDS = ["yes", "no"]


@pytest.fixture(scope="module")
def speech():
    return demo_corpus(words=WORDS, voices=6)


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32))


@pytest.fixture(scope="module")
def prior():
    with seeded(1):
        autoencoder = MelAutoencoder(codes=8, channels=(2, 2, 2, 2))
    return AutoencoderPrior(hearing_of(autoencoder), autoencoder)


def maximized(network, path, **options):
    experiment = maximize_activations(network, WORDS, path, labels=WORDS, batch_size=4, device="cpu", **options)
    return experiment, experiment.outcome()


def test_natural_tokens_are_what_the_front_end_gives(network, speech):
    items = natural_items(network, speech, batch_size=5)
    clips = clips_for(network, speech)
    expected = network.features(torch.from_numpy(clips.waveforms(slice(None)))).numpy()
    assert items.heard == pytest.approx(expected, abs=1e-6)
    assert items.tokens["token"].tolist() == items.tokens["pair"].tolist() == clips.tokens["token"].tolist()


def test_what_a_prior_makes_of_natural_tokens_is_a_condition_of_its_own(network, speech, prior):
    autoencoder = prior.autoencoder
    natural, again = natural_items(network, speech), natural_items(network, speech, through=prior)
    with torch.no_grad():
        expected = autoencoder.decode(autoencoder.encode(torch.from_numpy(natural.heard))).numpy()
    assert again.heard == pytest.approx(expected, abs=1e-5)
    assert set(again.tokens["condition"]) == {"reconstructed"}
    assert again.tokens["pair"].tolist() == natural.tokens["token"].tolist()
    assert len(natural.joined(again)) == 24


def test_starts_from_noise_are_speakers_of_their_own_and_pairs_of_before_and_after(network, tmp_path):
    _, outcome = maximized(network, tmp_path / "s.zarr", starts=3, steps=2)
    after, before = (outcome_items(outcome, which=which) for which in ("after", "before"))
    assert after.tokens["speaker"].tolist() == outcome["start"].to_numpy().tolist()
    assert after.tokens["pair"].tolist() == before.tokens["pair"].tolist()
    assert (set(after.tokens["condition"]), set(before.tokens["condition"])) == ({"maximized"}, {"before"})
    assert after.heard == pytest.approx(outcome["features_after"].to_numpy())
    assert len(outcome_items(outcome, starts=2)) == 4


def test_starts_from_tokens_are_by_their_speakers(network, speech, prior, tmp_path):
    options = {"starts": 4, "steps": 1, "prior": prior, "start_from": "data", "corpus": speech}
    experiment, outcome = maximized(network, tmp_path / "s.zarr", **options)
    items = outcome_items(outcome, experiment.tokens, prior=prior)
    speakers = experiment.tokens.set_index("token")["speaker"]
    assert items.tokens["speaker"].tolist() == speakers.loc[items.tokens["pair"]].tolist()
    with torch.no_grad():
        expected = prior.autoencoder.decode(torch.from_numpy(outcome["codes_after"].to_numpy())).numpy()
    assert items.heard == pytest.approx(expected, abs=1e-5)
    with pytest.raises(DataError, match="tokens table lacks"):
        outcome_items(outcome, prior=prior)
    with pytest.raises(ArgumentError, match="checkpoint is needed"):
        outcome_items(outcome, experiment.tokens)


def test_layers_of_items_are_what_the_network_gives(network, speech, tmp_path):
    items = natural_items(network, speech)
    experiment = record_heard(network, items, tmp_path / "s.zarr", batch_size=5, device="cpu")
    heard = torch.from_numpy(items.heard)
    with torch.no_grad():
        maps = network.eval().conv1(heard.unsqueeze(1))
        logits = network(heard).numpy()
    found = experiment.layer("conv1")["maps"].to_numpy()
    assert found == pytest.approx(maps.permute(0, 1, 3, 2).flatten(1, 2).numpy(), abs=1e-5)
    assert experiment.layer("logits")["maps"].to_numpy()[:, :, 0] == pytest.approx(logits, abs=1e-5)
    assert experiment.layer("features")["maps"].to_numpy().transpose(0, 2, 1) == pytest.approx(items.heard)
    # The second output of conv1 hears frames 1 and 2.
    assert experiment.layer("conv1")["time_s"].to_numpy()[1] == pytest.approx(1.5 * 256 / 22050)
    assert json.loads(experiment.recording_attrs["front_end"])["hop"] == 256


def test_a_recording_goes_on_and_other_items_or_weights_are_refused(network, speech, tmp_path):
    items = natural_items(network, speech)
    record_heard(network, items, tmp_path / "s.zarr", "logits", device="cpu")
    record_heard(network, items, tmp_path / "s.zarr", "logits", device="cpu")
    other = HeardItems(items.tokens, items.heard * 0.5, items.hearing)
    with pytest.raises(StoreError):
        record_heard(network, other, tmp_path / "s.zarr", "logits", device="cpu")
    with seeded(9):
        stranger = CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32))
    with pytest.raises(StoreError):
        record_heard(stranger, items, tmp_path / "s.zarr", "logits", device="cpu")


def test_networks_of_waveforms_have_items_too(speech, tmp_path):
    with seeded(0):
        network = ConvolutionalEncoder(outputs=2, width=1)
    items = natural_items(network, demo_corpus(words=["ask", "wash"], voices=3))
    experiment = record_heard(network, items, tmp_path / "s.zarr", device="cpu")
    assert items.heard.shape == (6, 16384)
    assert experiment.layer("conv5")["maps"].shape == (6, 16, 16)


def test_the_whole_way_from_maximized_features_to_statistics(network, speech, prior, tmp_path):
    options = {"starts": 6, "steps": 2, "prior": prior, "start_from": "data", "corpus": speech}
    maximizing, outcome = maximized(network, tmp_path / "outcomes.zarr", **options)
    parts = [outcome_items(outcome, maximizing.tokens, which=which, prior=prior) for which in ("after", "before")]
    items = natural_items(network, speech).joined(*parts)
    path = tmp_path / "items.zarr"
    attrs = {"network_kind": "commands", "network_seed": 0}
    record_heard(network, items, path, ["features", "conv1", "logits"], attrs=attrs, device="cpu")
    for seed in (5, 6):
        with seeded(seed):
            fresh = CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32))
        told = {**attrs, "network_seed": seed}
        name = f"untrained_0{seed}"
        record_heard(fresh, items, path, ["conv1", "logits"], name, trained=False, attrs=told, device="cpu")
    view = open_store(path)
    result = measure_exaggeration(view, measures=["level"], reference="before")
    assert set(result.table["design"]) == {"within speakers"}
    assert cue_tests(view, nulls=["before"]).summary["cues"].tolist() == [3, 3, 3]
    views = [view, open_store(path, recording="untrained_05")]
    paths = compare_paths(views, ("maximized", "before"), layers=["conv1"], draws=20)
    assert paths.table["trained"].tolist() == [True, True, False, False]
    # The machinery of kinds of network knows the column of conditions.
    compared = compare_networks(
        [path], words=[], contrasts=["condition=maximized:before"], layers=["conv1"], variant="padded", draws=20,
        kinds=["untrained"],
    )  # fmt: skip
    assert compared.kinds["networks"].tolist() == [2]
    distance = boundary_distance(network, outcome, prior=prior, device="cpu")
    moved = read_moved_codes(outcome, maximizing.tokens, boundary_distance=distance)
    assert (np.sign(distance) == np.sign(moved.starts["margin"])).all()


def test_the_distance_is_that_of_finite_differences(network, speech, tmp_path):
    with seeded(1):
        autoencoder = MelAutoencoder(codes=8, channels=(2, 2, 2, 2)).double()
    prior = AutoencoderPrior(hearing_of(autoencoder), autoencoder)
    with seeded(0):
        double = CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32)).double()
    _, outcome = maximized(double, tmp_path / "s.zarr", starts=2, steps=1, prior=prior)
    distance = boundary_distance(double, outcome, prior=prior, device="cpu")
    assert np.isfinite(distance).all()
    codes = torch.from_numpy(outcome["codes_before"].to_numpy()).double()
    sign = torch.tensor([1.0 if target == "yes" else -1.0 for target in outcome["target"].to_numpy()])

    def margin(of):
        with torch.no_grad():
            logits = double.eval()(prior.render(of))
        return sign * (logits[:, 0] - logits[:, 1])

    step = 1e-6
    moves = [step * torch.eye(8, dtype=torch.float64)[code] for code in range(8)]
    gradient = torch.stack([(margin(codes + move) - margin(codes - move)) / (2 * step) for move in moves], dim=1)
    assert distance == pytest.approx((margin(codes) / gradient.norm(dim=1)).numpy(), rel=1e-4)


def test_distances_need_codes_and_the_networks_own_weights(network, prior, tmp_path):
    _, outcome = maximized(network, tmp_path / "s.zarr", starts=2, steps=1, prior=prior)
    with seeded(9):
        stranger = CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32))
    with pytest.raises(StoreError, match="other weights"):
        boundary_distance(stranger, outcome, prior=prior)
    _, features = maximized(network, tmp_path / "features.zarr", starts=2, steps=1)
    with pytest.raises(DataError, match="no codes"):
        boundary_distance(network, features)


def test_items_that_do_not_fit_are_refused(network, speech, tmp_path):
    items = natural_items(network, speech)
    with pytest.raises(DataError, match="there twice"):
        items.joined(items)
    with pytest.raises(DataError, match="array of shape"):
        HeardItems(items.tokens, items.heard[:, :, :40], items.hearing)
    with pytest.raises(DataError, match="'pair'"):
        HeardItems(items.tokens.drop(columns="pair"), items.heard, items.hearing)
    nan = items.heard.copy()
    nan[3, 4, 5] = np.nan
    with pytest.raises(DataError, match="holds NaN"):
        record_heard(network, HeardItems(items.tokens, nan, items.hearing), tmp_path / "s.zarr", device="cpu")
    other = CommandClassifier(outputs=2, channels=(1, 1, 1), hidden=(2, 2, 2), front_end={"high_hz": 7000.0})
    with pytest.raises(ArgumentError, match="high_hz"):
        record_heard(other, items, tmp_path / "s.zarr", device="cpu")
    stranger = Hearing(("time", "mel"), (90, 80), hearing_of(other).front_end)
    with pytest.raises(ArgumentError, match="high_hz"):
        items.joined(HeardItems(pd.DataFrame(items.tokens), items.heard, stranger))
    with pytest.raises(ArgumentError, match="does not encode"):
        natural_items(network, speech, through="none")
