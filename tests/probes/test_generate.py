"""Generators speak: same seed, same speech; codes and noise are where they belong."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips
from layerstats.errors import ArgumentError, DataError
from layerstats.models import ConvolutionalEncoder, InfoWaveGAN, ModelCard, part, seeded, untrained
from layerstats.probes import generate_speech, network_attributes, record_activations, record_untrained
from layerstats.store import open_store


def network(kind="ciwgan", codes=3):
    with seeded(5):
        return InfoWaveGAN(kind, codes=codes, latent=12, width=1)


def test_codes_are_crossed_with_voices_and_values():
    tokens = generate_speech(network(), voices=4, value=[1, 2.5]).tokens
    assert len(tokens) == 3 * 2 * 4
    counts = tokens.groupby(["word", "speaker", "code_value"]).size()
    assert len(counts) == 24
    assert (counts == 1).all()
    assert set(tokens["word"]) == {"code 0", "code 1", "code 2"}
    assert tokens["split"].eq("generated").all()


def test_audio_is_what_the_generator_says_of_code_and_noise():
    model = network("fiwgan", codes=4)
    speech = generate_speech(model, codes=["0110"], voices=2, value=1.5, seed=8)
    noise = model.draw_noise(2, torch.Generator().manual_seed(8))
    latent = torch.cat([torch.tensor([[0, 1.5, 1.5, 0]]).expand(2, -1), noise], dim=1)
    with torch.no_grad():
        said = model.generator(latent).numpy()[1, 400:-400]
    token = speech.tokens.iloc[1]
    assert token["token"] == "code-0110_value-1.5_noise-0001"
    assert token["peak"] == pytest.approx(np.abs(said).max())
    np.testing.assert_allclose(speech.audio(token["token"]), said / np.abs(said).max() / 2, atol=1e-4)


def test_a_clip_has_the_speech_where_the_generator_put_it():
    model = network()
    speech = generate_speech(model, codes=[1], voices=1)
    whole = generate_speech(model, codes=[1], voices=1, silence_s=0)
    clip, said = Clips(speech).waveform(speech.tokens["token"][0]), whole.audio(whole.tokens["token"][0])
    assert (clip[:400] == 0).all()
    ratio = clip[400:-400] @ said[400:-400] / (said[400:-400] @ said[400:-400])
    np.testing.assert_allclose(clip[400:-400], ratio * said[400:-400], atol=1e-3)


def test_the_same_seed_gives_the_same_bytes_and_leaves_everything_as_it_was():
    model = network().train()
    state = torch.random.get_rng_state()
    hashes = [generate_speech(model, voices=40, seed=seed).content_hash() for seed in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert model.training
    assert torch.equal(state, torch.random.get_rng_state())


def test_each_code_says_the_same_whichever_others_are_asked_for():
    model = network("fiwgan", codes=2)
    everything, one = generate_speech(model, voices=3), generate_speech(model, codes=["10"], voices=3)
    for token in one.tokens["token"]:
        np.testing.assert_array_equal(everything.audio(token), one.audio(token))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codes": [3]}, "'0', '1', '2'"),
        ({"codes": ["x"]}, "'0', '1', '2'"),
        ({"codes": [1, "1"]}, "none twice"),
        ({"codes": []}, "at least one code"),
        ({"voices": 0}, "voices"),
        ({"voices": 4000}, "12000 tokens"),
        ({"value": []}, "value"),
        ({"value": float("nan")}, "value"),
        ({"silence_s": 0.6}, "silence_s"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        generate_speech(network(), **options)


def test_bits_must_be_as_many_as_the_network_has():
    with pytest.raises(ArgumentError, match="have 4 bits, for instance '0101', but got '01'"):
        generate_speech(network("fiwgan", codes=4), codes=["01"])


def test_networks_without_generator_are_refused():
    with pytest.raises(ArgumentError, match="has no generator"):
        generate_speech(ConvolutionalEncoder(2, width=1))


def test_a_generator_that_broke_is_named():
    model = network()
    with torch.no_grad():
        model.generator.transposed5.convolution.bias.fill_(float("nan"))
    with pytest.raises(DataError, match="NaN"):
        generate_speech(model, voices=1)


def test_a_generator_that_saturates_is_still_heard():
    model = network()
    with torch.no_grad():
        for parameter in model.generator.transposed5.parameters():
            parameter.mul_(1e6)
    speech = generate_speech(model, voices=1)
    assert np.abs(Clips(speech).waveforms(slice(None))).mean() > 0.8


def test_generated_speech_is_recorded_and_contrasted_like_any_other(tmp_path):
    from layerstats.stats import word_contrasts

    model = network()
    speech = generate_speech(model, voices=4, value=[1, 3])
    attrs = {"network_kind": "ciwgan", "part": "discriminator", "network_seed": 2}
    path = tmp_path / "generated.zarr"
    critic = record_activations(part(model, "discriminator"), speech, path, layers="conv4", attrs=attrs)
    assert critic.attrs["part"] == "discriminator"
    assert critic.select(word="code 2").tokens["code_value"].tolist() == [1.0] * 4 + [3.0] * 4
    assert len(critic.phones) == 0
    contrasts = word_contrasts(open_store(path), pairs="reference")
    assert contrasts.effects["level_1"].tolist() == ["code 1", "code 2"]


def test_a_gan_is_heard_through_its_q_network(tmp_path):
    model = network()
    speech = generate_speech(model, voices=2)
    whole = record_activations(model, speech, tmp_path / "a.zarr", layers="conv5")
    alone = record_activations(model.q_network, speech, tmp_path / "b.zarr", layers="conv5")
    assert whole.attrs["model_hash"] == alone.attrs["model_hash"]
    twins = record_untrained(model, speech, tmp_path / "a.zarr", seeds=[3], layers="conv5")
    fresh = record_activations(untrained(model.q_network, 3), speech, tmp_path / "c.zarr", layers="conv5")
    assert twins.recording("untrained_03").attrs["model_hash"] == fresh.attrs["model_hash"]


def test_attributes_of_the_network():
    gan = ModelCard("g", "", architecture={"class": "InfoWaveGAN", "arguments": {"kind": "fiwgan"}})
    assert network_attributes(gan, "discriminator") == {"network_kind": "fiwgan", "part": "discriminator"}
