"""A small corpus on disk and a store of it, so that every script runs as on anyone's own speech."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from layerstats.cli.written_outputs import written_outputs
from layerstats.resources import bundled

# Stores of simulated letters are those of the tests of averages.
sys.path.insert(0, str(Path(__file__).parents[1] / "stats" / "averages"))

RATE_HZ = 16000
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = 2
item []:
{tiers}"""
TIER = """    item [{number}]:
        class = "IntervalTier"
        name = "{name}"
        xmin = 0
        xmax = {end}
        intervals: size = {size}
{intervals}"""
INTERVAL = """        intervals [{number}]:
            xmin = {start}
            xmax = {stop}
            text = "{text}"
"""


def tier(number, name, intervals):
    text = "".join(
        INTERVAL.format(number=place, start=start, stop=stop, text=label)
        for place, (start, stop, label) in enumerate(intervals, start=1)
    )
    return TIER.format(number=number, name=name, end=intervals[-1][1], size=len(intervals), intervals=text)


def write_token(folder: Path, word: str, repetition: int, rng: np.random.Generator) -> None:
    """Write a vowel and a fricative: [s] is white noise, [sh] is noise with less in its high frequencies."""
    import soundfile

    vowel_s, fricative_s = rng.uniform(0.12, 0.2), rng.uniform(0.15, 0.22)
    time = np.arange(round(vowel_s * RATE_HZ)) / RATE_HZ
    vowel = np.sin(2 * np.pi * rng.uniform(110, 220) * time) * np.hanning(time.size)
    noise = rng.normal(scale=0.15, size=round(fricative_s * RATE_HZ))
    if word == "wash":
        noise = np.convolve(noise, np.ones(4) / 2, mode="same")
    samples = np.concatenate([vowel, noise])
    end = samples.size / RATE_HZ
    phones = [(0.0, time.size / RATE_HZ, "ae"), (time.size / RATE_HZ, end, "sh" if word == "wash" else "s")]
    stem = folder / f"{word}_{repetition}"
    soundfile.write(stem.with_suffix(".wav"), 0.8 * samples / np.abs(samples).max(), RATE_HZ)
    tiers = tier(1, "words", [(0.0, end, word)]) + tier(2, "phones", phones)
    stem.with_suffix(".TextGrid").write_text(GRID.format(end=end, tiers=tiers), encoding="utf-8")


@pytest.fixture
def make(monkeypatch, capsys):
    """Return a function that runs a script with its command line in this process, and names what it made.

    `layerstats demo` runs them in processes of their own, as a user does; to start one a test took longer than most.
    """

    def run(script: str, out: Path, *arguments: str | Path) -> set[str]:
        path = str(bundled("analyses", f"{script}.py"))
        monkeypatch.setattr("sys.argv", [path, *map(str, arguments), "--out", str(out)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(path, run_name="__main__")
        printed = capsys.readouterr()
        assert ended.value.code == 0, printed.err
        names = made(out, printed.out)
        check_help(script, out)
        return names

    return run


def check_help(script: str, out: Path) -> None:
    """Every table and figure that a script makes is named by its help, as what it is."""
    said = written_outputs([bundled("analyses", f"{script}.py")])
    for entry in json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]:
        named = [one for one in said if one.kind == entry["kind"] and one.is_name(entry["name"])]
        assert named, f"The help of {script} does not name the {entry['kind']} {entry['name']!r}."


def made(out: Path, printed: str) -> set[str]:
    """Every entry has its files, no file is empty, and the last line says how many there are, and on which page."""
    entries = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]
    assert entries
    assert all(entry["files"] for entry in entries if entry["kind"] != "text")
    for entry in entries:
        for name in entry["files"].values():
            assert (out / name).stat().st_size > 0
    kinds = [entry["kind"] for entry in entries]
    names = {"table": "table", "figure": "figure", "text": "note", "sounds": "sound list"}
    counts = [(kinds.count(kind), name) for kind, name in names.items()]
    said = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count)
    assert printed.splitlines() == [f"{out}: {said}; all on {out / 'index.html'}"]
    assert (out / "index.html").stat().st_size > 0
    return {entry["name"] for entry in entries}


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory):
    """Eight speakers who say two words once each."""
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(7)
    for speaker in range(8):
        folder = root / f"speaker{speaker}"
        folder.mkdir()
        for word in ("ask", "wash"):
            write_token(folder, word, 0, rng)
    return root


@pytest.fixture(scope="session")
def letter_store(tmp_path_factory):
    """Windows of ten letters by six speakers: noise, with a burst at 200 Hz where relevance for "a" is largest."""
    from letter_stores import store_letters

    path = tmp_path_factory.mktemp("letters") / "letters.zarr"
    store_letters(path, speakers=6, each=60, bands=4, samples=15, letters="abcdefghij", burst=4.0)
    return path


def moving_energy(waveforms: np.ndarray, hop: int, weights: np.ndarray) -> np.ndarray:
    """Return what a layer might: the rectified output of a short filter, averaged over `hop` samples."""
    filtered = np.abs(np.stack([np.convolve(waveform, weights, mode="same") for waveform in waveforms]))
    return filtered.reshape(len(waveforms), -1, hop).mean(axis=2)


@pytest.fixture(scope="session")
def store(corpus_folder, tmp_path_factory):
    """Three layers of a filter that hears high frequencies, two channels each, and of three with random weights."""
    from layerstats.corpora import Clips, open_corpus
    from layerstats.store import store_arrays

    clips = Clips(open_corpus(f"textgrids:{corpus_folder}"))
    waveforms = clips.waveforms(slice(None))
    hops = {"conv1": 64, "conv2": 256, "conv3": 2048}
    times = {name: (np.arange(waveforms.shape[1] // hop) + 0.5) * hop / RATE_HZ for name, hop in hops.items()}
    about = {name: {"hop_s": hop / RATE_HZ, "receptive_field_s": 2 * hop / RATE_HZ} for name, hop in hops.items()}
    path = tmp_path_factory.mktemp("store") / "store.zarr"
    rng = np.random.default_rng(8)
    filters = {"activations": np.array([1.0, -1.0])}
    filters |= {f"untrained/seed_{seed:02}": rng.normal(size=8) for seed in range(3)}
    for group, weights in filters.items():
        arrays = {name: moving_energy(waveforms, hop, weights) for name, hop in hops.items()}
        attrs = {}
        if group == "activations":
            # Their mean is what the filter gives.
            arrays = {name: np.stack([0.5 * mean, 1.5 * mean], axis=1) for name, mean in arrays.items()}
            attrs = {"network_kind": "supervised", "network_seed": 0}
        store_arrays(
            path, clips.tokens, arrays, time_s=times, phones=clips.phones, name=group, layer_attrs=about, attrs=attrs
        )
    return path
