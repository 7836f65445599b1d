"""What networks hear is what their authors' code makes of a waveform."""

import pickle

import numpy as np
import pytest
import torch
import transformers

from layerstats.models.pretrained import open_network
from layerstats.models.pretrained.torchcrepe import CrepeInput


@pytest.fixture(scope="module")
def waveforms():
    generator = torch.Generator().manual_seed(0)
    loud = torch.linspace(0, 1, 16000) ** 2
    return torch.randn(2, 16000, generator=generator) * loud


def test_whisper_hears_what_its_feature_extractor_makes(saved, waveforms):
    network = open_network(saved("whisper"))
    extractor = transformers.WhisperFeatureExtractor(chunk_length=2)
    kept = waveforms[:, : network.hearing.fixed_samples]
    theirs = extractor(list(kept.numpy()), sampling_rate=16000, return_tensors="np", padding="max_length")
    frames = network.hearing.fixed_samples // 160
    ours = network.hearing.prepare(kept)["input_features"].numpy()
    assert ours.shape == (2, 80, frames)
    # Theirs is filled up to 2 s, ours to the 1.2 s of this network: windows at its end hear other silence.
    np.testing.assert_allclose(ours[..., : frames - 2], theirs["input_features"][..., : frames - 2], atol=2e-4)


def test_wav2vec2_hears_what_its_feature_extractor_makes(saved, waveforms):
    """Zero mean and unit variance, and a mask where its norm is by frame, are made of what the tokens are."""
    network = open_network(saved("wav2vec2 by frame"))
    assert network.hearing.normalisation == "standard"
    lengths = [16000, 9000]
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    told = [one[:length].numpy() for one, length in zip(waveforms, lengths, strict=True)]
    theirs = extractor(told, sampling_rate=16000, return_tensors="pt", padding=True)
    ours = network.hearing.prepare(theirs["input_values"], torch.tensor(lengths))
    assert torch.equal(ours["attention_mask"], theirs["attention_mask"].long())
    assert torch.equal(ours["input_values"], theirs["input_values"])


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("normalised", [True, False])
def test_networks_are_normalised_as_their_folder_says(saved, normalised, whole, tmp_path):
    """A processor, which has a tokenizer too, is written into another file than its feature extractor alone."""
    spec = saved("wav2vec2")
    folder = spec.partition(":")[2]
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalised, sampling_rate=8000)
    if whole:
        (tmp_path / "vocab.json").write_text('{"<pad>": 0, "<unk>": 1, "|": 2, "a": 3}')
        tokenizer = transformers.Wav2Vec2CTCTokenizer(tmp_path / "vocab.json", bos_token="a", eos_token="a")
        processor = transformers.Wav2Vec2Processor(processor, tokenizer)
    processor.save_pretrained(folder)
    network = open_network(spec)
    assert network.hearing.normalisation == ("standard" if normalised else "none")
    assert network.hearing.rate_hz == 8000
    assert not network.notes


@pytest.mark.parametrize(("kind", "masked"), [("wav2vec2", False), ("wav2vec2 by frame", True), ("whisper", False)])
def test_lengths_become_a_mask_only_where_it_does_what_it_should(saved, kind, masked):
    network = open_network(saved(kind))
    prepared = network.hearing.prepare(torch.randn(2, 4000), torch.tensor([4000, 2000]))
    assert network.hearing.takes_lengths == masked == ("attention_mask" in prepared)


@pytest.mark.parametrize("kind", ["wav2vec2 by frame", "hubert by frame", "wavlm by frame"])
def test_a_masked_token_has_the_values_that_it_has_alone(saved, kind):
    network = open_network(saved(kind))
    torch.manual_seed(1)
    token = torch.randn(1, 4000)
    together = torch.zeros(2, 9000)
    together[0, :4000], together[1] = token, torch.randn(9000)
    with torch.no_grad():
        alone = network(**network.hearing.prepare(token)).last_hidden_state
        beside = network(**network.hearing.prepare(together, torch.tensor([4000, 9000]))).last_hidden_state
    frames = alone.shape[1]
    torch.testing.assert_close(beside[:1, :frames], alone, rtol=0, atol=2e-5)


def test_least_samples_are_the_fewest_that_run(saved, kind):
    network = open_network(saved(kind))
    fewest = network.hearing.least_samples
    with torch.no_grad():
        assert network(**network.hearing.prepare(torch.randn(1, fewest))).last_hidden_state.shape[1] >= 1
        if fewest > 1:
            with pytest.raises(RuntimeError):
                network(**network.hearing.prepare(torch.randn(1, fewest - 1)))


def test_frames_of_crepe_are_its_authors(waveforms):
    """`torchcrepe.preprocess` in its own words: unfold, subtract the mean, divide by the standard deviation."""
    frames = CrepeInput()(waveforms)
    assert frames.shape == (2, 1 + 16000 // 160, 1024)
    padded = np.pad(waveforms.numpy(), ((0, 0), (512, 512)))
    for number in (0, 3, 57, 100):
        frame = padded[:, number * 160 : number * 160 + 1024]
        frame = frame - frame.mean(1, keepdims=True)
        expected = frame / np.maximum(frame.std(1, ddof=1, keepdims=True), 1e-10)
        np.testing.assert_allclose(frames[:, number].numpy(), expected, atol=1e-4)
    assert not CrepeInput()(torch.zeros(1, 2000)).any()


def test_the_sound_alone_does_not_hear_what_fills_a_token(waveforms):
    network = open_network("mel:40")
    alone = network(network.hearing.prepare(waveforms[:1, :8000]))
    beside = network(network.hearing.prepare(torch.nn.functional.pad(waveforms[:1, :8000], (0, 4321))))
    assert alone.shape == (1, 40, 51)
    torch.testing.assert_close(beside[..., :51], alone, rtol=0, atol=1e-5)


def test_preparation_has_a_gradient(saved, kind):
    network = open_network(saved(kind))
    waveform = torch.randn(1, 4000, requires_grad=True)
    network(**network.hearing.prepare(waveform)).last_hidden_state.square().sum().backward()
    assert torch.isfinite(waveform.grad).all()
    assert waveform.grad.abs().max() > 0


def test_networks_travel_to_other_processes(saved, kind):
    network = open_network(saved(kind))
    again = pickle.loads(pickle.dumps(network))
    waveform = torch.randn(1, 4000)
    one, other = (made(**made.hearing.prepare(waveform)).last_hidden_state for made in (network, again))
    assert torch.equal(one, other)
