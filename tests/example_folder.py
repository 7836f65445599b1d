"""Files that examples of docstrings name: a folder in which they run, with small things of known truth in it.

The names are those that a user has after `make demo`, or would choose; what an example does not name is not made.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.store import store_arrays

TESTS = Path(__file__).parent
HOPS = {"conv1": 0.016, "conv3": 0.032, "conv4": 0.032, "conv5": 0.032}
CLIP_S = 0.512
RATE_HZ = 16000


def write_examples(folder: Path, text: str) -> None:
    """Make what an example names and the folder lacks."""
    for name, make in MAKERS.items():
        if f'"{name}' in text and not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            make(folder / name)


def _demo_store(path: Path) -> None:
    """Words by eight speakers: [s] and [sh] differ at every layer, among women more, and in no untrained network."""
    rng = np.random.default_rng(0)
    speakers, groups = np.repeat(np.arange(8), 4), np.tile([0, 1], 16)
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:02}" for number in range(32)],
            "word": np.where(groups == 1, "wash", "ask"),
            "speaker": [f"sp{speaker}" for speaker in speakers],
            "sex": np.where(speakers % 2, "F", "M"),
            "split": "test",
            "onset_s": 0.05,
            "duration_s": 0.35,
        }
    )
    fricative = pd.DataFrame({"token": tokens["token"], "phone_index": 1, "label": np.where(groups == 1, "sh", "s")})
    fricative = fricative.assign(onset_s=0.1, offset_s=0.3)
    vowel = fricative.assign(phone_index=0, label="ae", onset_s=0.05, offset_s=0.1)
    phones = pd.concat([vowel, fricative]).sort_values(["token", "phone_index"], ignore_index=True)
    times = {layer: (np.arange(round(CLIP_S / hop)) + 0.5) * hop for layer, hop in HOPS.items()}
    about = {layer: {"hop_s": hop, "receptive_field_s": 2 * hop} for layer, hop in HOPS.items()}
    for number, name in enumerate(["activations", "untrained_00", "untrained_01"]):
        arrays = {}
        for layer, time in times.items():
            within = (time >= 0.1) & (time < 0.3)
            effect = (number == 0) * (1.5 + (speakers % 2)) * groups
            level = effect[:, None] * within + 0.2 * rng.normal(size=8)[speakers][:, None]
            series = np.sin(np.pi * time / CLIP_S) + level + 0.3 * rng.normal(size=(32, 1))
            arrays[layer] = series[:, None, :] + 0.1 * rng.normal(size=(32, 2, len(time)))
        attrs = {"trained": number == 0}
        store_arrays(path, tokens, arrays, time_s=times, phones=phones, name=name, layer_attrs=about, attrs=attrs)


def _letters(path: Path) -> None:
    """Windows of three letters by four speakers, with phones, in a network and an untrained twin of it."""
    runpy.run_path(str(TESTS / "stats" / "averages" / "spoken_windows.py"))["store_of_letters"](path, each=12, twins=1)


def _sound(path: Path, seconds: float = 0.4) -> None:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).uniform(-0.5, 0.5, round(seconds * RATE_HZ))
    soundfile.write(path, noise, RATE_HZ, subtype="PCM_16")


def _digits(folder: Path) -> None:
    for name in ("0_jackson_0", "0_theo_0", "1_jackson_0"):
        _sound(folder / "recordings" / f"{name}.wav")


def _libri(folder: Path) -> None:
    chapter = folder / "84" / "121123"
    _sound(chapter / "84-121123-0000.flac")
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000 GO DO YOU HEAR\n", encoding="utf-8")


def _commands(folder: Path) -> None:
    for word in ("yes", "no", "up"):
        for speaker in ("0a7c2a8d", "1b88bf70", "2c6d3924"):
            _sound(folder / word / f"{speaker}_nohash_0.wav")
    for name, speaker in (("testing_list", "1b88bf70"), ("validation_list", "2c6d3924")):
        lines = [f"{word}/{speaker}_nohash_0.wav\n" for word in ("yes", "no", "up")]
        (folder / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def _recordings(folder: Path) -> None:
    make = runpy.run_path(str(TESTS / "analyses" / "conftest.py"))
    for speaker in ("anna", "ben"):
        _sound(folder / f"{speaker}_1.wav")
        words, phones = [(0.0, 0.1, ""), (0.1, 0.4, "ask")], [(0.0, 0.1, ""), (0.1, 0.2, "ae"), (0.2, 0.4, "s")]
        tiers = make["tier"](1, "Words", words) + make["tier"](2, "phones", phones)
        grid = make["GRID"].format(end=0.4, tiers=tiers)
        (folder / f"{speaker}_1.TextGrid").write_text(grid, encoding="utf-8")


def _timit(folder: Path) -> None:
    for speaker in ("FCJF0", "MDAC0"):
        place = folder / "TRAIN" / "DR1" / speaker
        _sound(place / "SA1.WAV")
        (place / "SA1.PHN").write_text("0 1000 h#\n1000 1500 sh\n1500 2600 iy\n2600 6400 h#\n", encoding="utf-8")
        (place / "SA1.WRD").write_text("1000 2600 she\n", encoding="utf-8")


def _pages(folder: Path) -> None:
    from layerstats.report import Output

    for name in ("phones", "words"):
        output = Output(folder / name, title=name)
        output.text("notes", "Notes", "Nothing was found.")


def _network(path: Path) -> None:
    """One network on two tokens, whose kind and seed are in the store's name."""
    kind, seed = path.stem.rsplit("_", 1)
    tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "wash"], "speaker": "s1", "split": "test"})
    attrs = {"network_kind": {"q": "ciwGAN Q-network", "words": "supervised"}[kind], "network_seed": int(seed)}
    store_arrays(
        path,
        tokens.assign(onset_s=0.0, duration_s=0.4),
        {"conv1": np.ones((2, 4))},
        time_s={"conv1": np.arange(4) / 10},
        attrs=attrs,
    )


def _said(path: Path) -> None:
    """What a recogniser heard in two tokens."""
    from layerstats.corpora import demo_corpus
    from layerstats.judges import record_judgements

    record_judgements(demo_corpus(words=["ask"], voices=["en-us+m3", "en-us+f2"]), path, ["pocketsphinx"])


def _heard(path: Path) -> None:
    """Spectrograms of two words by natural speakers, and of starts, before and after; after, with more high energy."""
    import json

    world = runpy.run_path(str(TESTS / "stats" / "exaggeration" / "conftest.py"))
    rng, rows, features = np.random.default_rng(0), [], []
    for word in ("six", "yes"):
        for number in range(8):
            rows.append((f"{word}_{number}", word, f"p{number}", "test", "natural", f"{word}_{number}"))
            features.append(world["spectrogram"](rng))
            for condition, more in (("maximized", 0.3), ("before", 0.0), ("random_direction", 0.0)):
                start = f"{word}_start_{number}"
                rows.append((f"{start}_{condition}", word, start, "", condition, start))
                features.append(world["hiss"](world["spectrogram"](rng), more))
    columns = ["token", "word", "speaker", "split", "condition", "pair"]
    values = np.clip(np.array(features), 0, 1).transpose(0, 2, 1)
    times = {"features": np.arange(values.shape[2]) * 256 / 22050}
    attrs = {"front_end": json.dumps(world["FRONT_END"])}
    store_arrays(path, pd.DataFrame(rows, columns=columns), {"features": values}, time_s=times, attrs=attrs)


def _made(path: Path) -> None:
    """What maximizes a word of a small network (of a ladder, after none and one step), judged by it and by another."""
    from layerstats.judges import judge
    from layerstats.models import ConvolutionalEncoder, ModelCard, save_checkpoint, seeded
    from layerstats.probes import maximize_activations, maximize_ladder

    files, words = [], ["no", "yes"]
    for seed, name in enumerate(("a", "b")):
        with seeded(seed):
            network = ConvolutionalEncoder(outputs=2, width=1, samples=4096)
        card = ModelCard(name, "an example", outputs=tuple(words))
        files.append(path.with_name(f"{name}.safetensors"))
        save_checkpoint(files[-1], network, card)
        options = {"starts": 2, "card": card, "network_name": name}
        if name == "a" and path.stem == "ladder":
            maximize_ladder(network, words, path, ["none"], steps=[1], **options)
        elif name == "a":
            maximize_activations(network, words, path, prior="none", steps=1, **options)
    judge(path, [str(file) for file in files], device="cpu")


def _of_2024(path: Path) -> None:
    """A store of the first schema."""
    import shutil

    shutil.unpack_archive(TESTS / "store" / "archive" / "schema_1.zarr.zip", path.parent)
    (path.parent / "small.zarr").rename(path)


MAKERS: dict[str, Callable[[Path], None]] = {
    "results/demo/store.zarr": _demo_store,
    "letters.zarr": _letters,
    "q_0.zarr": _network,
    "words_0.zarr": _network,
    "said.zarr": _said,
    "heard.zarr": _heard,
    "made.zarr": _made,
    "ladder.zarr": _made,
    "experiment_of_2024.zarr": _of_2024,
    "free-spoken-digit-dataset": _digits,
    "LibriSpeech/dev-clean": _libri,
    "speech_commands_v0.02": _commands,
    "my_recordings": _recordings,
    "TIMIT": _timit,
    "results/two_contrasts": _pages,
}
