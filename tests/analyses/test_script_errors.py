"""What a user gets wrong is one line on stderr and exit status 2, whichever the script."""

from __future__ import annotations

import runpy
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from layerstats.listening import make_design
from layerstats.models import InfoWaveGAN, ModelCard, save_checkpoint, seeded
from layerstats.resources import bundled
from layerstats.store import open_store, store_arrays

# What each script is given besides its store (or checkpoint) and --out, and what it compares. A new one is added here.
OPTIONS = {
    "abx_calibration": [],
    "aligned_averages": [],
    "average_calibration": [],
    "calibration": [],
    "channels": ["--layer", "conv2"],
    "checks": [],
    "claim_calibration": [],
    "codes": [],
    "contrast": ["--contrast", "word=ask:wash"],
    "duration": [],
    "exaggeration": [bundled("data", "checkpoints", "words.safetensors")],
    "heard": [],
    "interaction_calibration": [],
    "interactions": ["--training"],
    "ladder": [],
    "letter_patterns": [],
    "letter_profiles": [],
    "lexical": [],
    "listening": [],
    "maximized_features": [],
    "metamers": [],
    "networks": ["--kinds", "untrained"],
    "optimal_inputs": [],
    "paths": [bundled("data", "checkpoints", "words.safetensors")],
    "people": ["answers.csv"],
    "phone_layers": [],
    "phones": [],
    "rating_calibration": [],
    "ratings": [],
    "relevance_contrasts": ["--recording", "activations"],
    "relevance_maps": [],
    "representation_calibration": [],
    "resampling": [],
    "series": [],
    "share_calibration": [],
    "success": [],
    "success_calibration": [],
    "trust": ["--recording", "activations"],
    "trust_calibration": [],
    "variance_calibration": [],
    "words": [],
}
SCRIPTS = sorted(path.stem for path in bundled("analyses").glob("*.py"))
SIMULATE = tuple(name for name in OPTIONS if name.endswith("calibration"))
NO_STORE = ("ladder", "lexical", "optimal_inputs", "relevance_maps", "trust")
READ_A_STORE = [name for name in OPTIONS if name not in (*SIMULATE, *NO_STORE)]
ABOUT_WORDS = ["channels", "networks", "resampling", "series", "words"]
ABOUT_PHONES = ["channels", "networks", "phones", "resampling"]
CONTRAST = {name: ["--phones", "sh:s"] for name in ABOUT_PHONES}


def test_every_script_is_tried():
    assert list(OPTIONS) == SCRIPTS, "A new script of analyses/ needs its options in tests/analyses, OPTIONS."


@pytest.fixture
def refusal(monkeypatch, capsys, tmp_path):
    """Return a function that runs a script in this process and gives the line that it ends with."""

    def run(script, *arguments, out=tmp_path / "out"):
        path = str(bundled("analyses", f"{script}.py"))
        monkeypatch.setattr("sys.argv", [path, *map(str, arguments), "--out", str(out)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(path, run_name="__main__")
        # Steps of more than two seconds have lines of their own.
        lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
        assert ended.value.code == 2, lines
        assert len(lines) == 1, lines
        return lines[0]

    return run


def copied(store, path, variable, phones=None):
    for group in ("activations", "untrained/seed_00", "untrained/seed_01"):
        experiment = open_store(store).recording(group)
        layers = {name: experiment.layer(name) for name in experiment.layers}
        store_arrays(
            path,
            experiment.tokens,
            {name: layer[variable if group == "activations" else "mean"].to_numpy() for name, layer in layers.items()},
            time_s={name: layer["time_s"].to_numpy() for name, layer in layers.items()},
            phones=phones,
            name=group,
            attrs={"network_kind": "supervised", "network_seed": 1},
        )
    return path


@pytest.fixture(scope="session")
def without_phones(store, tmp_path_factory):
    """The words of the store, without what was said when."""
    return copied(store, tmp_path_factory.mktemp("words") / "store.zarr", "maps")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    with seeded(0):
        network = InfoWaveGAN("ciwgan", codes=2, width=1)
    path = tmp_path_factory.mktemp("network") / "network.safetensors"
    return save_checkpoint(path, network, ModelCard("ciwgan", "Random weights."))


@pytest.fixture(scope="session")
def design(tmp_path_factory):
    """A listening test of two clips, written."""
    folder = tmp_path_factory.mktemp("design")
    for name in "ab":
        soundfile.write(folder / f"{name}.wav", np.sin(np.arange(1600) / (3 if name == "a" else 5)), 16000)
    clips = pd.DataFrame({"clip": ["a", "b"], "file": ["a.wav", "b.wav"], "condition": ["new", "old"]})
    made = make_design(clips, raters_per_clip=2, trials_per_session=2, catch=0, rules=[], folder=folder)
    made.write(folder / "design")
    return folder / "design"


@pytest.mark.parametrize("script", READ_A_STORE)
def test_a_store_that_is_not_there(script, refusal, tmp_path):
    assert "no.zarr" in refusal(script, tmp_path / "no.zarr", *OPTIONS[script])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("script", READ_A_STORE)
def test_something_else_than_a_store(script, refusal, tmp_path):
    other = tmp_path / "table.csv"
    pd.DataFrame({"a": [1]}).to_csv(other)
    assert "table.csv" in refusal(script, other, *OPTIONS[script])


NO_LAYERS = (
    "aligned_averages",
    "letter_patterns",
    "letter_profiles",
    "codes",
    "exaggeration",
    "paths",
    "heard",
    "listening",
    "maximized_features",
    "metamers",
    "people",
    "phone_layers",  # its own test has a store of vectors
    "ratings",
    "success",
)


@pytest.mark.parametrize("script", [name for name in READ_A_STORE if name not in NO_LAYERS])
def test_a_layer_that_is_not_there(script, refusal, store):
    option = "--layer" if script in ("channels", "relevance_contrasts") else "--layers"
    line = refusal(script, store, *OPTIONS[script], *CONTRAST.get(script, ()), option, "conv9")
    assert "'conv9'" in line
    assert "conv1" in line


@pytest.mark.parametrize("script", ABOUT_WORDS)
def test_a_word_that_nobody_says(script, refusal, store):
    line = refusal(script, store, *OPTIONS[script], "--words", "ask,year")
    assert "'year'" in line
    assert "wash" in line


@pytest.mark.parametrize("script", ABOUT_PHONES)
def test_a_phone_that_nobody_says(script, refusal, store):
    line = refusal(script, store, *OPTIONS[script], "--phones", "s:zh")
    assert "zh" in line
    assert "sh" in line.replace("zh", "")


@pytest.mark.parametrize("script", ABOUT_PHONES)
def test_one_set_of_phones_is_no_contrast(script, refusal, store):
    assert "'s'" in refusal(script, store, *OPTIONS[script], "--phones", "s")


@pytest.mark.parametrize("script", ABOUT_PHONES)
def test_a_store_without_phones(script, refusal, without_phones):
    assert "phones" in refusal(script, without_phones, *OPTIONS[script], *CONTRAST[script])


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_folder_that_cannot_be_made_is_said_before_anything_is_computed(
    script, refusal, store, checkpoint, design, tmp_path
):
    file = tmp_path / "file"
    file.write_text("no folder")
    scores = tmp_path / "scores.csv"
    scores.write_text("model,listener,stage,observer,proportion_correct\na,1,conv1,Human,1\n")
    first = {**{name: [] for name in SIMULATE}, "lexical": [checkpoint], "relevance_maps": [checkpoint]}
    first |= {name: [checkpoint, store] for name in ("ladder", "optimal_inputs")} | {"trust": [store, checkpoint]}
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("rater,clip,condition,rating\nr1,a,new,1\nr2,a,new,5\n")
    tables = {"metamers": [scores], "ratings": [ratings], "listening": [design]}
    first = {**first, **tables}.get(script, [store])
    line = refusal(script, *first, *OPTIONS[script], *CONTRAST.get(script, ()), out=file / "out")
    assert line.startswith(f"{file / 'out'} cannot be written (Not a directory).")


def test_the_corpus_of_waveforms_is_there(refusal, store, tmp_path):
    assert "nowhere" in refusal("series", store, "--corpus", f"textgrids:{tmp_path / 'nowhere'}")
    assert "'speech'" in refusal("series", store, "--corpus", "speech")
    assert "ask_0" in refusal("series", store, "--corpus", "demo")


def test_the_network_and_its_corpus_are_there(refusal, checkpoint, tmp_path):
    assert "no.safetensors" in refusal("lexical", tmp_path / "no.safetensors")
    for script in ("ladder", "optimal_inputs"):
        assert "no.safetensors" in refusal(script, tmp_path / "no.safetensors", tmp_path / "s.zarr")
    assert "nowhere" in refusal("lexical", checkpoint, "--corpus", f"timit:{tmp_path / 'nowhere'}")


def test_a_recording_without_channels(refusal, store, tmp_path):
    means = copied(store, tmp_path / "means.zarr", "mean", open_store(store).phones)
    assert "--maps" in refusal("channels", means, *OPTIONS["channels"], *CONTRAST["channels"])


def test_networks_that_heard_other_speech(refusal, store, without_phones):
    line = refusal("networks", store, without_phones, *OPTIONS["networks"], *CONTRAST["networks"])
    assert line.startswith("Networks are compared on the same tokens")


def test_plans_are_whole_numbers(refusal, store):
    line = refusal("resampling", store, *OPTIONS["resampling"], *CONTRAST["resampling"], "--plan", "20,many")
    assert line == "--plan takes whole numbers separated by commas, as in 20,40, but got '20,many' instead."


def test_a_store_without_judgements(refusal, store):
    assert "judge" in refusal("heard", store)


def test_a_store_without_outcomes(refusal, store):
    assert "outcomes" in refusal("maximized_features", store)
    assert "holds no outcomes of maximizations" in refusal("success", store)


def test_worlds_have_numbers(refusal):
    assert "'worlds'" in refusal("calibration", "--worlds", "7")


def test_damaged_folders_of_results_are_told(refusal, store, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(store, folder)
    (folder / "manifest.json").write_text("{}")
    assert "manifest.json is damaged" in refusal("series", store)


def test_letters_and_pairs_are_there_before_any_is_tested(refusal, letter_store):
    assert "'ä'" in refusal("letter_patterns", letter_store, "--letters", "a,ä")
    assert "'ä'" in refusal("letter_patterns", letter_store, "--pairs", "a:b,a:ä")
    for pair in ("a", "a:", "a:a", "a:b:c"):
        line = refusal("letter_patterns", letter_store, "--pairs", pair)
        assert f"two letters each, as a:e, but one is {pair!r}" in line
    for covered in ("0", "7", "nan"):
        assert covered in refusal("aligned_averages", letter_store, "--covered", covered)


def test_words_are_no_windows_of_letters(refusal, store):
    assert "'letter'" in refusal("letter_patterns", store)
    assert "'letter'" in refusal("average_calibration", "--worlds", ",", "--speech", store)


def test_a_study_has_worlds_truths_and_permutations(refusal):
    assert "'worlds'" in refusal("average_calibration", "--worlds", ",")
    assert "'truths'" in refusal("average_calibration", "--truths", ",")
    assert "'permutations'" in refusal("average_calibration", "--permutations", "0")
    assert "'seed'" in refusal("average_calibration", "--seed", "-1")
