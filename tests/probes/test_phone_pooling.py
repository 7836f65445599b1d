"""Vectors of phones: means over the samples of each, checked against loops over recorded maps."""

import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import Clips
from layerstats.corpora.phones import empty_phones, phones_table
from layerstats.errors import ArgumentError, OtherRecordingError, StoreError
from layerstats.probes import Activation, Quantity, Variable, maps, record, record_activations, record_untrained
from layerstats.probes.phone_pooling import PhonePooling, phone_samples
from layerstats.store import open_store, phone_vectors

SMALL = runpy.run_path(str(Path(__file__).with_name("small_speech.py")))
RATE_HZ, small_clips, small_network = (SMALL[name] for name in ("RATE_HZ", "small_clips", "small_network"))
LAYERS = ["1", "3", "5"]


def clips_of_phones(tokens=10, seed=1):
    """Clips whose tokens have no phone up to seven, of one sample up to a third of the token; two have none."""
    clips = small_clips(tokens)
    random = np.random.default_rng(seed)
    rows = []
    for token, duration in zip(clips.corpus.tokens["token"], clips.corpus.tokens["duration_s"], strict=True):
        if token in ("t002", f"t{tokens - 1:03d}"):
            continue
        edges = np.sort(random.uniform(0, duration, random.integers(2, 9)))
        edges = np.sort([*edges, edges[0] + 1.5 / RATE_HZ]) if edges[0] + 1.5 / RATE_HZ < duration else edges
        for onset, offset in pairwise(edges):
            rows.append({"token": token, "label": random.choice(list("aptks")), "onset_s": onset, "offset_s": offset})
    return Clips(replace(clips.corpus, phones=phones_table(pd.DataFrame(rows))), rate_hz=RATE_HZ, samples=1024)


def by_loop(experiment, layer):
    """The definition: samples with onset <= time < offset, else the one nearest to the middle of the phone."""
    times, values = experiment.times(layer), experiment.layer(layer)["maps"].to_numpy()
    rows = {token: row for row, token in enumerate(experiment.tokens["token"])}
    found = []
    for phone in experiment.phones.itertuples():
        inside = [sample for sample, time in enumerate(times) if phone.onset_s <= time < phone.offset_s]
        distances = np.abs(times - (phone.onset_s + phone.offset_s) / 2)
        samples = inside or [int(np.argmin(distances))]
        found.append(np.mean([values[rows[phone.token], :, sample] for sample in samples], axis=0))
    return np.array(found)


@pytest.mark.parametrize("batch_size", [3, 32])
def test_vectors_are_means_over_the_samples_of_phones(tmp_path, batch_size):
    clips = clips_of_phones()
    store = tmp_path / "s.zarr"
    options = {"layers": LAYERS, "maps": True, "phones": True, "batch_size": batch_size}
    experiment = record_activations(small_network(), clips, store, **options)
    assert experiment.variables == ("mean", "maps", "phones")
    for layer in LAYERS:
        vectors = phone_vectors(store, layer)
        assert vectors.dims == ("phone", "channel")
        np.testing.assert_allclose(vectors, by_loop(experiment, layer), rtol=1e-5, atol=1e-5)


def test_phones_in_another_order_than_the_tokens(tmp_path):
    clips = clips_of_phones(23)
    mixed = replace(clips.corpus, phones=clips.corpus.phones.sample(frac=1.0, random_state=3).reset_index(drop=True))
    experiment = record_activations(
        small_network(),
        Clips(mixed, rate_hz=RATE_HZ, samples=1024),
        tmp_path / "s.zarr",
        layers="3",
        maps=True,
        phones=True,
        batch_size=4,
    )
    assert experiment.phones["token"].tolist() != sorted(experiment.phones["token"])
    np.testing.assert_allclose(experiment.layer("3")["phones"], by_loop(experiment, "3"), rtol=1e-5, atol=1e-5)


def test_layers_with_few_samples_give_every_phone_the_nearest(tmp_path):
    network = torch.nn.Sequential(*small_network(), torch.nn.AvgPool1d(100))
    experiment = record_activations(network, clips_of_phones(), tmp_path / "s.zarr", layers="6", maps=True, phones=True)
    assert len(experiment.times("6")) == 2
    np.testing.assert_allclose(experiment.layer("6")["phones"], by_loop(experiment, "6"), rtol=1e-5, atol=1e-6)


def test_the_nearest_sample_of_phones_between_before_and_behind_samples():
    times = np.array([0.125, 0.25, 0.375])
    onset, offset = np.array([[0.0, 0.05], [0.13, 0.15], [0.2, 0.24], [0.15625, 0.21875], [0.4, 0.5]]).T
    first, end = phone_samples(onset, offset, times)
    # Of two samples that are as near the earlier one counts.
    assert first.tolist() == [0, 0, 1, 0, 2]
    assert (end - first).tolist() == [1, 1, 1, 1, 1]


def test_of_a_clip_that_ends_earlier_only_its_own_samples_count():
    times = np.array([0.1, 0.2, 0.3, 0.4])
    first, end = phone_samples(np.array([0.1, 0.26]), np.array([0.45, 0.29]), times, np.array([3, 2]))
    assert (first.tolist(), end.tolist()) == ([0, 1], [3, 2])


def test_a_batch_without_phones_has_no_vectors():
    pooling = PhonePooling(np.zeros(0, dtype=int), np.zeros(0), np.zeros(0), {"a": np.array([0.0, 0.1])}, 2)
    assert pooling.average("a", torch.ones(2, 3, 2)).shape == (0, 3)


def test_batches_without_phones_are_recorded(tmp_path):
    # The last token, and the third, have none.
    clips = clips_of_phones(5)
    experiment = record_activations(
        small_network(), clips, tmp_path / "s.zarr", layers="3", maps=True, phones=True, batch_size=1
    )
    assert not set(experiment.phones["token"]) & {"t002", "t004"}
    np.testing.assert_allclose(experiment.layer("3")["phones"], by_loop(experiment, "3"), rtol=1e-5, atol=1e-5)


def test_a_quantity_may_have_series_by_phone(tmp_path):
    class Silence(Quantity):
        name = "silence"
        variables = (Variable("share"), Variable("silent", ("phone",)), Variable("channels", ("phone", "channel")))

        def reduce(self, values, axes):
            silent = (maps(values, axes) <= 0).float()
            return {"share": silent.mean(dim=1), "silent": silent.mean(dim=1), "channels": silent}

    experiment = record(small_network(), clips_of_phones(), tmp_path / "s.zarr", Silence(), layers="1")
    layer = experiment.layer("1")
    np.testing.assert_allclose(layer["silent"], layer["channels"].mean("channel"), rtol=1e-5)
    assert layer["silent"].dims == ("phone",)


def test_what_is_averaged_over_phones_has_tokens_and_samples(tmp_path):
    class Wrong(Quantity):
        name = "wrong"
        variables = (Variable("vector", ("phone", "channel")),)

        def reduce(self, values, axes):
            return {"vector": maps(values, axes).mean(dim=2)}

    with pytest.raises(ArgumentError, match=r"must be \(token, \.\.\., sample\) with the 3 tokens"):
        record(small_network(), clips_of_phones(), tmp_path / "s.zarr", Wrong(), layers="1")
    with pytest.raises(ArgumentError, match="has no axis 'sample'"):
        Variable("vector", ("phone", "sample"))


def test_a_corpus_without_phones_is_refused_before_anything_runs(tmp_path):
    clips = small_clips()
    bare = Clips(replace(clips.corpus, phones=empty_phones()), rate_hz=RATE_HZ, samples=1024)
    with pytest.raises(ArgumentError, match=r"has none\. Align it"):
        record_activations(small_network(), bare, tmp_path / "s.zarr", layers="1", phones=True)
    assert not (tmp_path / "s.zarr").exists()


def test_recordings_without_phones_have_the_keys_that_they_had():
    assert Activation().key() == {"maps": False}
    assert "phones" not in Activation().attributes()
    assert Activation(phones=True).key() == {"maps": False, "phones": True}


def test_a_finished_recording_is_compared_with_the_network_of_now(tmp_path):
    clips, network = clips_of_phones(), small_network()
    options = {"layers": "1", "phones": True}
    record_activations(network, clips, tmp_path / "s.zarr", **options)
    record_activations(network, clips, tmp_path / "s.zarr", **options)
    turn_around = {"choose_output": lambda output: output * torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None]}
    record_activations(network, clips, tmp_path / "t.zarr", choose_output=lambda output: output, **options)
    with pytest.raises(OtherRecordingError, match="differ by"):
        record_activations(network, clips, tmp_path / "t.zarr", **turn_around, **options)


def test_vectors_are_labelled_and_say_of_which_network_they_are(tmp_path):
    store = tmp_path / "s.zarr"
    clips, network = clips_of_phones(), small_network()
    about = {"network_kind": "noise", "network_seed": 4}
    experiment = record_activations(network, clips, store, layers=LAYERS, phones=True, attrs=about)
    record_untrained(network, clips, store, seeds=[7], quantity=Activation(phones=True), layers=LAYERS, attrs=about)
    chosen = phone_vectors(experiment, "3", "p, s", speaker=["s0", "s2"])
    table = experiment.phones.merge(experiment.tokens[["token", "speaker", "word"]], on="token")
    wanted = table[table["label"].isin(["p", "s"]) & table["speaker"].isin(["s0", "s2"])]
    assert chosen["phone"].to_numpy().tolist() == wanted.index.tolist()
    for column in ("label", "token", "speaker", "word", "previous", "following", "phone_class", "onset_s"):
        assert chosen[column].to_numpy().tolist() == wanted[column].tolist()
    np.testing.assert_allclose(chosen["duration_s"], wanted["offset_s"] - wanted["onset_s"])
    assert chosen["token_onset_s"].dims == ("phone",)
    assert chosen.attrs["trained"] is True
    assert {**chosen.attrs, **about, "layer": "3", "recording": "activations"} == chosen.attrs
    untrained = phone_vectors(store, "3", recording="untrained_07")
    assert (untrained.attrs["trained"], untrained.attrs["seed"]) == (False, 7)
    assert untrained.attrs["network_kind"] == "noise"


def test_vectors_that_were_not_recorded(tmp_path):
    record_activations(small_network(), clips_of_phones(), tmp_path / "s.zarr", layers="1")
    with pytest.raises(StoreError, match=r"Activation\(phones=True\)"):
        phone_vectors(tmp_path / "s.zarr", "1")


def test_a_half_written_recording_has_no_vectors_yet(tmp_path):
    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    clips = clips_of_phones(40)
    options = {"layers": "1", "phones": True, "batch_size": 4, "progress": stop}
    with pytest.raises(KeyboardInterrupt):
        record_activations(small_network(), clips, tmp_path / "s.zarr", **options)
    with pytest.raises(StoreError, match="is half-written: vectors of phones"):
        phone_vectors(open_store(tmp_path / "s.zarr", incomplete="allow", recording="activations"), "1")


def test_vectors_stay_on_disk_until_used(tmp_path):
    record_activations(small_network(), clips_of_phones(), tmp_path / "s.zarr", layers="1", phones=True)
    vectors = phone_vectors(tmp_path / "s.zarr", "1")
    some = vectors[3:5]
    (tmp_path / "s.zarr" / "recordings" / "activations" / "1" / "phones" / "c" / "0" / "0").unlink()
    with pytest.raises(StoreError, match="is missing"):
        some.to_numpy()


def test_values_of_a_phone_depend_neither_on_the_batch_nor_on_the_order(tmp_path):
    clips = clips_of_phones()
    first = record_activations(small_network(), clips, tmp_path / "a.zarr", layers="3", phones=True, batch_size=4)
    tokens = clips.corpus.tokens.iloc[::-1].reset_index(drop=True)
    turned = Clips(replace(clips.corpus, tokens=tokens), rate_hz=RATE_HZ, samples=1024)
    second = record_activations(small_network(), turned, tmp_path / "b.zarr", layers="3", phones=True, batch_size=3)
    assert open_store(tmp_path / "b.zarr").tokens["token"].tolist() == first.tokens["token"].tolist()[::-1]
    np.testing.assert_allclose(first.layer("3")["phones"], second.layer("3")["phones"], rtol=1e-5, atol=1e-6)
