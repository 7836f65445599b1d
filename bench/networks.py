"""Words through networks of the shapes of Whisper-tiny and wav2vec2-base: recording against the bare forward pass."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

WORDS_S = (0.2, 0.9)


def word_clips(tokens: int, seed: int = 0):
    """Return noise as long as words are, with three phones each, made when it is asked for."""
    import numpy as np
    import pandas as pd

    from layerstats.corpora import Corpus
    from layerstats.corpora.phones import phones_table

    durations = np.random.default_rng(seed).uniform(*WORDS_S, tokens).round(2)
    names = [f"t{index:06d}" for index in range(tokens)]
    length = dict(zip(names, durations, strict=True))

    class Noise:
        def load(self, token: str) -> np.ndarray:
            size = round(16000 * length[token])
            return np.random.default_rng(int(token[1:])).normal(0, 0.1, size).astype(np.float32)

        def fingerprints(self, tokens):
            return list(tokens)

    table = pd.DataFrame({"token": names, "word": "noise", "speaker": "s", "split": "test", "duration_s": durations})
    thirds = [(name, label, length[name] * i / 3, length[name] * (i + 1) / 3) for name in names for i, label in
              enumerate("sas")]  # fmt: skip
    phones = phones_table(pd.DataFrame(thirds, columns=["token", "label", "onset_s", "offset_s"]))
    return Corpus("noise", table, phones, 16000, Noise())


def networks():
    """Yield names, networks with random weights, and how many words each gets."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from layerstats.models import seeded
    from layerstats.models.pretrained import waveform_network, whisper_network

    with seeded(0):
        tiny = {"d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536}
        yield "Whisper-tiny", whisper_network(WhisperEncoder(WhisperConfig(**tiny)).eval()), 96
        yield "wav2vec2-base", waveform_network(Wav2Vec2Model(Wav2Vec2Config()).eval()), 192


class Seconds:
    """Processor and wall time since the last look, of the whole process; a GPU is waited for."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.look()

    def look(self) -> tuple[float, float]:
        """Return both."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()
        before = getattr(self, "at", (0.0, 0.0))
        self.at = time.process_time(), time.perf_counter()
        return self.at[0] - before[0], self.at[1] - before[1]


def compare(network, corpus, device: str, phones: bool) -> dict[str, tuple[float, float]]:
    """Return the time of a recording's start, of its batches and of the bare forward pass on the same batches."""
    import torch

    from layerstats.probes import Activation, record

    given, begun, ended = [], [], []

    def forward(_module, args, kwargs):
        given.append((args, kwargs))
        begun.append((time.process_time(), time.perf_counter()))

    hook = network.register_forward_pre_hook(forward, with_kwargs=True)
    with tempfile.TemporaryDirectory() as folder:
        clock = Seconds(device)
        start = clock.at
        record(network, corpus, Path(folder) / "s.zarr", Activation(phones=phones), device=device,
               progress=lambda *_: ended.append(1))  # fmt: skip
        whole = clock.look()
    hook.remove()
    batches, first = given[-len(ended) :], begun[-len(ended)]
    network.to(device)
    bare = []
    with torch.no_grad():
        for _ in range(2):
            clock.look()
            for args, kwargs in batches:
                network(*args, **kwargs)
            bare.append(clock.look())
    network.to("cpu")
    started = first[0] - start[0], first[1] - start[1]
    return {"whole": whole, "start": started, "bare": min(bare)}


def main() -> None:
    """Print everything."""
    import torch

    for device in ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]:
        where = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
        for name, network, words in networks():
            words = words if device == "cpu" else 50 * words
            corpus = word_clips(words)
            for phones in (False, True):
                seconds = compare(network, corpus, device, phones)
                which = int(device == "cuda")  # of a GPU only the wall clock tells
                whole, start, bare = (seconds[one][which] for one in ("whole", "start", "bare"))
                print(
                    f"{name}, {where}, {words} words, {'means and phones' if phones else 'means'}: forward "
                    f"{words / bare:.1f} tokens/s, recording after its start {words / (whole - start):.1f} tokens/s, "
                    f"share of the forward pass {bare / (whole - start):.2f}; with its start of {start:.1f} s (as "
                    f"{start / bare * words:.0f} words) {bare / whole:.2f}; wall {seconds['bare'][1]:.1f} s of "
                    f"{seconds['whole'][1]:.1f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
