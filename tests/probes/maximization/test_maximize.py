"""Outcomes in a store: resumed to the same bytes, each start made again alone, and what is refused before writing."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import Corpus, demo_corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError, AudioError, CorpusError, DataError, NetworkError, StoreError
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    InfoWaveGAN,
    MelAutoencoder,
    ModelCard,
    Wav2Letter,
    preserved,
    save_checkpoint,
    seeded,
)
from layerstats.probes.maximization import (
    AutoencoderPrior,
    Hearing,
    NoPrior,
    hearing_of,
    make_again,
    maximize_activations,
    maximized_start,
    plan_maximization,
    rendered,
    start_table,
)
from layerstats.probes.recording.key import model_hash
from layerstats.store import open_store

FRONT_END = {"rate_hz": 4000, "samples": 4000, "n_fft": 256, "hop": 128, "mels": 8, "high_hz": 1800.0, "frames": 18}
WORDS = ("yes", "no", "up")


def commands(seed=2, dtype=torch.float32, front_end=FRONT_END):
    with seeded(seed):
        network = CommandClassifier(3, (4, 6, 8), (16, 16, 16), front_end={**front_end, "mels": 16, "frames": 18})
    return network.to(dtype)


def autoencoder(front_end=FRONT_END):
    with seeded(9):
        return MelAutoencoder(5, (2, 3, 4, 5), front_end={**front_end, "mels": 16, "frames": 18})


def card(**training):
    return ModelCard("small", "", outputs=WORDS, training={"seed": 7, **training})


@pytest.fixture
def checkpoint(tmp_path):
    return save_checkpoint(tmp_path / "prior.safetensors", autoencoder(), ModelCard("prior", ""))


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "zarr.json")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_outcomes_say_everything_of_each_start(tmp_path, checkpoint):
    experiment = maximize_activations(
        commands(), ["no", "yes"], tmp_path / "s.zarr", starts=3, prior=f"autoencoder:{checkpoint}", card=card(), seed=4
    )
    outcome = experiment.outcome(set_up="autoencoder", network="small")
    assert outcome["target"].to_numpy().tolist() == ["no"] * 3 + ["yes"] * 3
    assert outcome["start"].to_numpy()[4] == "yes_00001"
    assert outcome["codes_after"].dims == ("start", "code")
    assert outcome["scores_after"].dims == ("start", "class")
    assert outcome["class"].to_numpy().tolist() == list(WORDS)
    np.testing.assert_allclose(outcome["scores_after"].sum("class"), 1, rtol=1e-6)
    assert (outcome["objective_after"] > outcome["objective_before"] + 1e-5).all()
    own = outcome["scores_after"].to_numpy()[range(6), [1] * 3 + [0] * 3]
    np.testing.assert_allclose(np.log(own), outcome["objective_after"], atol=1e-5)
    moved = np.linalg.norm(outcome["codes_after"] - outcome["codes_before"], axis=1)
    np.testing.assert_allclose(outcome["displacement"], moved, rtol=1e-5)
    about = {name: outcome.attrs[name] for name in ("objective", "rate", "steps", "start_from", "seed", "optimiser")}
    assert about == {"objective": "log_probability", "rate": 0.1, "steps": 20, "start_from": "codes", "seed": 4,
                     "optimiser": "gradient_rms"}  # fmt: skip
    assert outcome.attrs["prior_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert (outcome.attrs["network_seed"], outcome.attrs["trained"], outcome.attrs["labels"]) == (7, True, "true")


def test_a_killed_run_goes_on_to_the_same_bytes_and_a_finished_one_rests(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    options = {"starts": 5, "card": card(), "batch_size": 2, "block": (0, 2)}
    whole, broken = tmp_path / "whole.zarr", tmp_path / "broken.zarr"
    for number in (0, 1):
        maximize_activations(commands(), WORDS, whole, **{**options, "block": (number, 2)})
    assert open_store(whole).outcomes["complete"].tolist() == [True]
    started = []

    class KilledError(Exception):
        pass

    def kill(done, total):
        started.append(done)
        raise KilledError

    with pytest.raises(KilledError):
        maximize_activations(commands(), WORDS, broken, **options, progress=kill)
    assert 0 < started[0] < 15
    maximize_activations(commands(), WORDS, broken, **options)
    partial = open_store(broken, incomplete="allow")
    assert partial.outcomes["complete"].tolist() == [False]
    # A whole call does what the part left.
    maximize_activations(commands(), WORDS, broken, **{**options, "block": (0, 1)})
    assert contents(broken) == contents(whole)
    before = contents(whole)
    calls = []
    maximize_activations(commands(), WORDS, whole, **options, progress=lambda *done: calls.append(done))
    assert not calls
    assert contents(whole) == before


def test_other_weights_or_options_are_refused_and_nothing_is_overwritten(tmp_path):
    path = tmp_path / "s.zarr"
    maximize_activations(commands(), ["yes"], path, starts=2, card=card(), steps=1)
    before = contents(path)
    with pytest.raises(StoreError, match="network_hash"):
        maximize_activations(commands(seed=1), ["yes"], path, starts=2, card=card(), steps=1)
    with pytest.raises(StoreError, match="steps: 1 there, 2 now"):
        maximize_activations(commands(), ["yes"], path, starts=2, card=card(), steps=2)
    with pytest.raises(StoreError, match="already holds another set of outcomes"):
        maximize_activations(commands(), ["no"], path, starts=2, card=card(), steps=1)
    assert contents(path) == before
    maximize_activations(commands(), ["no"], path, starts=2, card=card(), steps=1, overwrite=True)
    assert open_store(path).outcome()["target"].to_numpy().tolist() == ["no", "no"]


@pytest.mark.parametrize("kind", ["none", "smooth", "autoencoder"])
def test_any_start_is_made_again_alone(tmp_path, checkpoint, kind):
    network, path = commands(dtype=torch.float64), tmp_path / "s.zarr"
    prior = f"{kind}:{checkpoint}" if kind == "autoencoder" else kind
    maximize_activations(network, WORDS, path, starts=4, prior=prior, card=card(), seed=3, rate=0.05, until=0.4)
    stored = open_store(path).outcome()
    needed = prior if kind == "autoencoder" else None
    for start in ("yes_00000", "up_00003"):
        again = make_again(network, path, start, prior=needed, card=card())
        there = stored.isel(start=stored["start"].to_numpy().tolist().index(start))
        for name in stored.data_vars:
            np.testing.assert_allclose(again[name].squeeze("start"), there[name], rtol=0, atol=1e-6, err_msg=name)


def test_a_start_that_is_made_again_needs_the_same_weights_prior_and_corpus(tmp_path, checkpoint):
    path = tmp_path / "s.zarr"
    maximize_activations(commands(), ["yes"], path, starts=2, prior=f"autoencoder:{checkpoint}", card=card(), steps=1)
    with pytest.raises(StoreError, match="other weights"):
        make_again(commands(seed=1), path, "yes_00000", card=card())
    with pytest.raises(ArgumentError, match="checkpoint is needed: prior='autoencoder:FILE'"):
        make_again(commands(), path, "yes_00000", card=card())
    with pytest.raises(ArgumentError, match="'yes_00000' to 'yes_00001'"):
        make_again(commands(), path, "yes_00002", prior=f"autoencoder:{checkpoint}", card=card())
    with pytest.raises(ArgumentError, match="made with the prior 'autoencoder', but got 'none'"):
        make_again(commands(), path, "yes_00000", prior="none", card=card())


def test_codes_are_decoded_by_their_own_weights(tmp_path, checkpoint):
    path = tmp_path / "s.zarr"
    maximize_activations(commands(), ["yes", "no"], path, starts=3, prior=f"autoencoder:{checkpoint}", card=card())
    outcome = open_store(path).outcome()
    heard = rendered(outcome, [1, 4], prior=f"autoencoder:{checkpoint}", batch_size=1)
    with torch.no_grad():
        expected = autoencoder().eval().decode(torch.from_numpy(outcome["codes_after"].to_numpy()[[1, 4]]))
        scores = torch.softmax(commands().eval()(torch.from_numpy(heard)), 1)
    np.testing.assert_allclose(heard, expected, atol=1e-6)
    np.testing.assert_allclose(scores, outcome["scores_after"].to_numpy()[[1, 4]], atol=1e-5)
    before = rendered(outcome, which="before", prior=AutoencoderPrior(hearing_of(commands()), autoencoder()))
    assert before.shape == (6, 18, 16)
    other = autoencoder()
    with torch.no_grad():
        other.decoder.dense.bias.add_(1e-3)
    altered = save_checkpoint(tmp_path / "other.safetensors", other, ModelCard("prior", ""))
    with pytest.raises(StoreError, match="another one than that of these outcomes"):
        rendered(outcome, prior=f"autoencoder:{altered}")
    with pytest.raises(ArgumentError, match="checkpoint is needed"):
        rendered(outcome)
    with pytest.raises(ArgumentError, match="a prior of your own, 'mine'"):
        rendered(outcome.assign_attrs(prior="mine"))


def test_features_are_there_as_they_are(tmp_path):
    path = tmp_path / "s.zarr"
    maximize_activations(commands(), ["yes"], path, starts=2, prior="smooth", card=card())
    outcome = open_store(path).outcome()
    assert np.array_equal(rendered(outcome, [1]), outcome["features_after"].to_numpy()[[1]])


def speech(samples):
    rows = [
        {"token": token, "word": token[:-1], "speaker": "s", "split": "test", "duration_s": len(sound) / 4000}
        for token, sound in samples.items()
    ]
    return Corpus("small", pd.DataFrame(rows), empty_phones(), 4000, MemoryAudio(samples))


def noise(seed):
    return (np.random.default_rng(seed).normal(size=3000) * 3000).astype(np.int16)


def test_starts_from_data_begin_at_what_the_network_hears(tmp_path):
    corpus = speech({token: noise(number) for number, token in enumerate(["yes1", "yes2", "no1", "up1"])})
    network, path = commands(), tmp_path / "s.zarr"
    options = {"starts": 3, "card": card(), "start_from": "data", "corpus": corpus}
    outcome = maximize_activations(network, WORDS, path, steps=0, **options).outcome()
    words = outcome["token"].to_numpy().tolist()
    assert [word[:-1] for word in words] == outcome["target"].to_numpy().tolist()
    # None twice before all were there.
    assert set(words[:2]) == {"yes1", "yes2"}
    natural = corpus.audio(words[0]).astype(np.float32)
    clip = np.zeros((1, 4000), np.float32)
    clip[0, :3000] = natural / np.abs(natural).max()
    with torch.no_grad():
        expected = network.eval().features(torch.from_numpy(clip))[0]
    np.testing.assert_allclose(outcome["features_before"][0], expected, atol=1e-5)
    assert np.array_equal(outcome["features_before"], outcome["features_after"])
    assert np.array_equal(outcome["scores_before"], outcome["scores_after"])
    again = make_again(network, path, "no_00001", corpus=corpus, card=card())
    assert again["token"].item() == "no1"
    elsewhere = maximize_activations(network, ["yes"], tmp_path / "any.zarr", **{**options, "starts": 4}, match="any")
    assert set(elsewhere.outcome()["token"].to_numpy()) == {"yes1", "yes2", "no1", "up1"}
    with pytest.raises(CorpusError, match="No token of the corpus is the word 'up'"):
        maximize_activations(network, ["up"], tmp_path / "b.zarr", **{**options, "corpus": corpus.subset(words=["no"])})
    assert not (tmp_path / "b.zarr").exists()


def test_silent_audio_is_refused_before_anything_is_written(tmp_path):
    corpus = speech({"yes1": noise(0), "yes2": np.zeros(3000, np.int16)})
    with pytest.raises(AudioError, match="yes2"):
        maximize_activations(commands(), ["yes"], tmp_path / "s.zarr", card=card(), start_from="data", corpus=corpus)
    assert not (tmp_path / "s.zarr").exists()


def test_networks_that_hear_waveforms_are_maximized_too(tmp_path):
    with seeded(0):
        network, gan = ConvolutionalEncoder(2, width=1), InfoWaveGAN(codes=2, width=1)
    corpus = demo_corpus(words=["ask", "wash"], voices=1)
    path = tmp_path / "s.zarr"
    options = {"starts": 1, "steps": 2, "labels": ["ask", "wash"]}
    one = maximize_activations(network, ["wash"], path, start_from="data", corpus=corpus, **options)
    assert one.outcome()["features_after"].dims == ("start", "sample")
    assert one.outcome()["token"].item().endswith("_wash")
    maximize_activations(gan, ["wash"], path, name="gan", **options)
    assert open_store(path).outcome("gan").attrs["network"] == "ConvolutionalEncoder"


def test_channels_and_values_of_layers_are_maximized(tmp_path):
    targets = ["conv2:1", "conv2:2:0/1"]
    outcome = maximize_activations(commands(), targets, tmp_path / "s.zarr", starts=2, card=card()).outcome()
    assert (outcome.attrs["objective"], outcome.attrs["layer"]) == ("activation", "conv2")
    assert (outcome["objective_after"] >= outcome["objective_before"]).all()
    assert outcome["scores_after"].shape == (4, 3)


def test_the_published_settings_by_name(tmp_path):
    plan = plan_maximization(commands(), ["yes"], settings="soomro2019", card=card())
    steps = plan.settings.ascent
    assert plan.settings.objective == "probability"
    assert (steps.optimiser, steps.steps, steps.until) == ("gradient_rms", 20, None)
    assert (steps.rate, plan.settings.start_from, plan.settings.start_deviation) == (0.01, "noise", 0.1)
    prior = AutoencoderPrior(hearing_of(commands()), autoencoder())
    coded = plan_maximization(commands(), ["yes"], settings="soomro2019", card=card(), prior=prior)
    assert (coded.settings.ascent.rate, coded.settings.start_from) == (0.1, "codes")
    assert (
        plan_maximization(commands(), ["yes"], settings="soomro2019", steps=3, card=card()).settings.ascent.steps == 3
    )
    assert plan_maximization(commands(), ["yes"], optimiser="adam", card=card()).settings.ascent.rate == 0.05


def test_the_published_settings_for_neurons(tmp_path):
    plan = plan_maximization(commands(), ["conv2:1", "conv2:2:0/1"], settings="krug2018", card=card())
    steps, prior = plan.settings.ascent, plan.prior
    assert (plan.settings.objective, plan.settings.start_from) == ("activation", "xavier_uniform")
    assert (steps.optimiser, steps.rate, steps.steps, steps.until) == ("adam", 0.05, 250, None)
    assert (prior.name, prior.l1, prior.l2, prior.total_variation) == ("smooth", 0.001, 0.001, 0)
    assert "start_deviation" not in plan.attributes
    classes = plan_maximization(commands(), ["yes"], settings="krug2018", card=card(), prior="none", steps=3)
    assert (classes.settings.objective, classes.prior.name, classes.settings.ascent.steps) == ("logit", "none", 3)
    options = {"settings": "krug2018", "starts": 2, "steps": 5, "card": card()}
    outcome = maximize_activations(commands(), ["conv2:1"], tmp_path / "s.zarr", **options).outcome()
    again = make_again(commands(), tmp_path / "s.zarr", "conv2:1_00001", card=card())
    np.testing.assert_allclose(again["features_after"][0], outcome["features_after"][1], atol=1e-4)
    bound = np.sqrt(6 / sum(outcome["features_before"].shape[1:]))
    before = outcome["features_before"].to_numpy()
    assert 0.9 * bound < np.abs(before).max() <= bound
    assert np.std(before) == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_a_network_of_utterances_is_maximized_on_one_window(tmp_path):
    with seeded(0):
        network = Wav2Letter(width=3, top=4)
    assert hearing_of(network).shape == (206, 128)
    options = {"settings": "krug2018", "starts": 1, "steps": 2, "prior": "none"}
    letters = maximize_activations(network, ["3"], tmp_path / "letters.zarr", **options).outcome()
    assert letters["scores_after"].shape == (1, 29)
    units = maximize_activations(network, ["conv1:2:40", "conv12:3:0"], tmp_path / "units.zarr", **options).outcome()
    assert units["features_after"].shape == (2, 206, 128)
    np.testing.assert_allclose(letters["objective_before"], _logit(network, letters["features_before"]), rtol=1e-4)
    assert network.padding == "same"
    with pytest.raises(ArgumentError, match="80 places"):
        maximize_activations(network, ["conv1:2:80"], tmp_path / "beyond.zarr", **options)


def _logit(network, features):
    with preserved(network):
        network.padding = "valid"
        return network.eval()(torch.from_numpy(features.to_numpy()))[:, 0, 3].detach().numpy()


def test_a_start_has_its_seed_whatever_else_is_asked_for():
    few, many = start_table(["no"], 2, seed=5, set_up="a"), start_table(["yes", "no"], 9, seed=5, set_up="a")
    assert set(few["seed"]) < set(many["seed"])
    assert many["seed"].is_unique
    for other in (start_table(["no"], 2, seed=6, set_up="a"), start_table(["no"], 2, seed=5, set_up="b")):
        assert not set(few["seed"]) & set(other["seed"])


def test_a_start_of_a_plan_alone_is_the_start_of_the_plan():
    plan = plan_maximization(commands(dtype=torch.float64), WORDS, starts=3, card=card(), rate=0.05)
    with plan.ready() as place:
        together = plan.run(slice(None), place)
    alone = maximized_start(plan, "no_00002")
    np.testing.assert_allclose(alone["features_after"][0], together["features_after"][5], rtol=0, atol=1e-6)
    with pytest.raises(ArgumentError, match="'yes_00000' to 'up_00002'"):
        maximized_start(plan, "no_00003")


def test_paths_are_stored_where_they_are_asked_for(tmp_path):
    options = {"starts": 2, "card": card(), "steps": 4, "paths": True}
    outcome = maximize_activations(commands(), ["yes"], tmp_path / "s.zarr", **options).outcome()
    assert outcome["objective_path"].shape == (2, 5)
    np.testing.assert_allclose(outcome["objective_path"][:, -1], outcome["objective_after"], rtol=1e-5)
    np.testing.assert_allclose(outcome["displacement_path"][:, -1], outcome["displacement"], rtol=1e-5)


def broken():
    network = commands()
    with torch.no_grad():
        network.logits.bias[0] = float("nan")
    return network


def cut():
    network = commands()
    network.conv2.register_forward_hook(lambda module, given, output: output.detach())
    return network


class Unruly(torch.nn.Module):
    """Works in place on what it hears, counts its calls, keeps a running mean, and draws at random when evaluated."""

    def __init__(self, classes=2):
        super().__init__()
        self.logits = torch.nn.Linear(4, classes)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, features):
        features.mul_(2)
        self.calls += 1
        self.mean += features.detach().mean((0, 1))
        return self.logits(torch.nn.functional.dropout((features - self.mean).mean(1), 0.5, training=True))


UNRULY = {"hearing": Hearing(("time", "mel"), (3, 4)), "starts": 3, "steps": 2, "batch_size": 2}


def test_what_a_network_keeps_or_draws_while_it_runs_changes_nothing(tmp_path):
    with seeded(3):
        network = Unruly()
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    hashed = model_hash(network)
    whole = maximize_activations(network, ["0", "1"], tmp_path / "whole.zarr", **UNRULY).outcome()
    for block in ((1, 3), (0, 3), (2, 3)):
        parts = maximize_activations(network, ["0", "1"], tmp_path / "parts.zarr", block=block, **UNRULY)
    assert all(torch.equal(value, kept[name]) for name, value in network.state_dict().items())
    assert whole.attrs["network_hash"] == hashed
    for name in ("features_after", "scores_after"):
        np.testing.assert_array_equal(whole[name], parts.outcome()[name])
    assert make_again(network, tmp_path / "whole.zarr", "1_00002", hearing=UNRULY["hearing"])["steps"].item() == 2


class Edited(torch.nn.Module):
    """A network whose code, but no weight, will be changed."""

    def __init__(self):
        super().__init__()
        self.logits = torch.nn.Linear(4, 2)

    def forward(self, features):
        return self.logits(features.mean(1))


@pytest.mark.parametrize("block", [(0, 1), (1, 2)])
def test_code_that_was_changed_is_noticed_where_outcomes_are_gone_on_with(tmp_path, monkeypatch, block):
    with seeded(3):
        network = Edited()
    options = {**UNRULY, "block": block}
    maximize_activations(network, ["0", "1"], tmp_path / "s.zarr", **options)
    there = contents(tmp_path / "s.zarr")
    with monkeypatch.context() as patch:
        patch.setattr(Edited, "forward", lambda self, features: -3 * self.logits(features.mean(1)))
        with pytest.raises(StoreError, match=r"gives something else now \(objective_before of the start '\w+' differs"):
            maximize_activations(network, ["0", "1"], tmp_path / "s.zarr", **options)
    assert contents(tmp_path / "s.zarr") == there
    maximize_activations(network, ["0", "1"], tmp_path / "s.zarr", **options)


def test_no_step_leaves_what_a_network_changes_in_place_as_it_was(tmp_path):
    options = {**UNRULY, "steps": 0}
    outcome = maximize_activations(Unruly(), ["0"], tmp_path / "s.zarr", **options).outcome()
    np.testing.assert_array_equal(outcome["features_before"], outcome["features_after"])
    plan = plan_maximization(Unruly(), ["0"], **options)
    drawn = torch.randn((3, 4), generator=torch.Generator().manual_seed(int(plan.starts["seed"].iloc[0]))) * 0.1
    np.testing.assert_allclose(outcome["features_before"].isel(start=0), drawn, rtol=1e-6)


def test_one_class_has_no_probability_and_an_output_that_is_no_row_no_classes(tmp_path):
    with pytest.raises(ArgumentError, match="one class only, whose probability is always 1"):
        maximize_activations(Unruly(1), ["0"], tmp_path / "s.zarr", **UNRULY)
    grown = maximize_activations(Unruly(1), ["0"], tmp_path / "s.zarr", objective="logit", **UNRULY).outcome()
    assert (grown["displacement"] > 0).all()
    flat = torch.nn.Sequential(Unruly(1), torch.nn.Flatten(0))
    with pytest.raises(ArgumentError, match="no classes"):
        maximize_activations(flat, ["0"], tmp_path / "t.zarr", **UNRULY)


@pytest.mark.parametrize(
    ("network", "targets", "options", "error", "message"),
    [
        (commands, ["maybe"], {}, ArgumentError, "classes are yes, no, up"),
        (commands, ["conv9:1"], {}, ArgumentError, "Its layers are"),
        (commands, ["conv2:99"], {}, ArgumentError, "has 6 channels"),
        (commands, "yes", {}, ArgumentError, "must list one or more"),
        (commands, ["yes", "yes"], {}, ArgumentError, "'yes' is there twice"),
        (commands, ["yes"], {"starts": 0}, ArgumentError, "starts"),
        (commands, ["yes"], {"block": (2, 2)}, ArgumentError, "block"),
        (commands, ["yes"], {"prior": "magic"}, ArgumentError, "'none', 'smooth'"),
        (commands, ["yes"], {"objective": "loss"}, ArgumentError, "log_probability"),
        (commands, ["yes"], {"settings": "soomro2020"}, ArgumentError, "soomro2019"),
        (
            commands,
            ["yes"],
            {"start_from": "codes"},
            ArgumentError,
            "from 'noise', 'xavier_uniform', 'data'",
        ),
        (commands, ["yes"], {"start_from": "data"}, ArgumentError, "give a corpus"),
        (commands, ["yes"], {"corpus": "demo"}, ArgumentError, "only used by starts from data"),
        (commands, ["conv2:1"], {"until": 0.9}, ArgumentError, "have no probability"),
        (commands, ["yes"], {"labels": ["yes", "no"]}, ArgumentError, "2 labels were given, but .* gives 3 classes"),
        (broken, ["no"], {}, DataError, "NaN"),
        (cut, ["yes"], {}, NetworkError, "differentiate"),
        (lambda: InfoWaveGAN("fiwgan", codes=3, width=1), ["0"], {"card": None}, ArgumentError, "'logits:0'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, network, targets, options, error, message):
    with pytest.raises(error, match=message):
        maximize_activations(network(), targets, tmp_path / "s.zarr", **{"starts": 2, "card": card(), **options})
    assert not (tmp_path / "s.zarr").exists()


def test_front_ends_that_disagree_are_refused(tmp_path):
    other = save_checkpoint(
        tmp_path / "other.safetensors", autoencoder({**FRONT_END, "hop": 200}), ModelCard("other", "")
    )
    with pytest.raises(ArgumentError, match="hop is 200 there and 128 in the network"):
        maximize_activations(commands(), ["yes"], tmp_path / "s.zarr", prior=f"autoencoder:{other}", card=card())
    assert not (tmp_path / "s.zarr").exists()


def test_two_set_ups_share_a_store_and_the_network_is_left_as_it_was(tmp_path, checkpoint):
    network, path = commands().train(), tmp_path / "s.zarr"
    state = {name: value.clone() for name, value in network.state_dict().items()}
    maximize_activations(network, ["yes"], path, starts=2, card=card())
    experiment = maximize_activations(
        network,
        ["yes"],
        path,
        starts=2,
        card=card(labels="shuffled"),
        prior=f"autoencoder:{checkpoint}",
        null="shuffled",
    )
    assert experiment.outcomes["name"].tolist() == ["autoencoder.small", "none.small"]
    assert experiment.outcomes["labels"].tolist() == ["shuffled", "true"]
    assert network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_prior_may_be_an_object(tmp_path):
    prior = NoPrior(hearing_of(commands()), bounds=(0, 1))
    outcome = maximize_activations(
        commands(), ["yes"], tmp_path / "s.zarr", starts=1, prior=prior, card=card()
    ).outcome()
    assert outcome.attrs["prior_bounds"] == [0.0, 1.0]
    assert float(outcome["features_after"].min()) >= 0
