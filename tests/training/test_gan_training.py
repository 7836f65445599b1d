"""Training of ciwGAN and fiwGAN: seeded, resumed after a kill, honest when it fails."""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pandas as pd
import pytest
import torch

from layerstats.corpora import Clips
from layerstats.errors import ArgumentError, AudioError, CorpusError, DataError, FitError
from layerstats.models import InfoWaveGAN, load_checkpoint, save_checkpoint, seeded
from layerstats.training import train_gan
from layerstats.training.gan import loop
from layerstats.training.gan.loop import best_row
from layerstats.training.gan.processes import Processes

TONES = Path(__file__).with_name("tones.py")
tones = runpy.run_path(str(TONES))["tones"]
SMALL = {"width": 1, "latent": 6, "batch_size": 8, "critic_updates": 2, "watch_every": 2, "device": "cpu"}
CHOSEN = "code_entropy code_information diversity spectral_distance held_out_gap lexical_accuracy"
COLUMNS = ["step", "critic_gap", "penalty", "generator_loss", "code_loss", *CHOSEN.split()]

TRAIN = """
import json, os, runpy, sys, torch
from layerstats.training import train_gan
torch.set_num_threads(1)
def tell(done, total):
    if os.environ.get("RANK", "0") == "0":  # lines of two processes would run into each other
        print(done, flush=True)
clips = runpy.run_path(sys.argv[1])["tones"]()
train_gan(clips, folder=sys.argv[2], progress=tell, **json.loads(sys.argv[3]))
"""


def in_a_process(folder, options, kill_at=None, launcher=()):
    """Train in a process of its own; return the steps it told of, and how it ended."""
    command = [sys.executable, *(launcher or ("-c", TRAIN)), str(TONES), str(folder), json.dumps(options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(int(line))
            if told[-1] == kill_at:
                process.send_signal(signal.SIGKILL)
    return told, process.returncode


def history(folder):
    return pd.read_csv(Path(folder) / "history.csv")[COLUMNS]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan") / "run"
    return train_gan(tones(), **SMALL, steps=6, listen_every=4, seed=1, folder=folder), folder


def test_history_has_a_row_for_every_look(trained):
    result, folder = trained
    assert result.history.columns.tolist() == [*COLUMNS, "seconds"]
    assert result.history["step"].tolist() == [2, 4, 6]
    assert result.best_step in (2, 4, 6)
    assert result.stopped == "All 6 steps were done."
    pd.testing.assert_frame_equal(history(folder), result.history[COLUMNS])


def test_samples_are_written_to_be_heard(trained):
    _, folder = trained
    files = sorted((folder / "listen").rglob("*.wav"))
    assert {file.parent.name for file in files} == {"step_000004"}
    assert len(files) == 2 * 2  # codes x noise vectors
    with wave.open(str(files[0])) as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (8000, 1024, 1)


def test_card_says_how_it_was_made(trained, tmp_path):
    result, _ = trained
    model, card = load_checkpoint(save_checkpoint(tmp_path / "x.safetensors", result.model, result.card))
    assert torch.equal(model(torch.ones(1, 6)), result.model(torch.ones(1, 6)))
    assert (card.training["steps"], card.training["batch_size"], card.training["speakers"]) == (6, 8, 6)
    assert card.training["step_kept"] == result.best_step
    assert card.training["corpus_hash"] == tones().content_hash()
    kept = result.history.loc[result.history["step"] == result.best_step].iloc[0]
    assert card.evaluation["lexical_accuracy"] == round(kept["lexical_accuracy"], 4)
    assert "without word labels" in " ".join(card.limits)


def test_same_seed_same_network_and_the_callers_random_state_is_kept(trained):
    state = torch.get_rng_state()
    again, other = (train_gan(tones(), **SMALL, steps=2, seed=seed) for seed in (1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    pd.testing.assert_frame_equal(again.history[COLUMNS], trained[0].history[COLUMNS].iloc[:1])
    assert again.history["critic_gap"].iloc[0] != other.history["critic_gap"].iloc[0]


def test_words_choose_nothing():
    """With the words of all tokens exchanged, everything but the record of lexical accuracy is the same."""
    clips = tones()
    swapped = clips.corpus.tokens.assign(word=clips.corpus.tokens["word"].map({"high": "low", "low": "high"}))
    swapped.loc[swapped.index[:9], "word"] = "low"
    other = Clips(type(clips.corpus)("tones", swapped, clips.corpus.phones, 8000, clips.corpus.source), 8000, 1024)
    one, two = (train_gan(speech, **SMALL, steps=4, codes=2) for speech in (clips, other))
    unlabelled = [column for column in COLUMNS if column != "lexical_accuracy"]
    pd.testing.assert_frame_equal(one.history[unlabelled], two.history[unlabelled])
    assert one.best_step == two.best_step


@pytest.mark.slow
def test_killed_and_resumed_goes_through_the_same_losses(tmp_path):
    options = {**SMALL, "steps": 12, "kind": "fiwgan"}
    told, ended = in_a_process(tmp_path / "killed", options, kill_at=7)
    assert ended == -signal.SIGKILL
    assert told[-1] < 12
    saved = int(history(tmp_path / "killed")["step"].iloc[-1])
    told, ended = in_a_process(tmp_path / "killed", {**options, "resume": True})
    # It began where the state had been written, not at the start.
    assert (told[0], told[-1], ended) == (saved + 1, 12, 0)
    assert in_a_process(tmp_path / "unbroken", options)[1] == 0
    pd.testing.assert_frame_equal(history(tmp_path / "killed"), history(tmp_path / "unbroken"), check_exact=True)
    one, other = (
        torch.load(tmp_path / name / "state.pt", weights_only=True)["model"] for name in ("killed", "unbroken")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_two_processes_give_what_one_gives(tmp_path):
    """Torchrun with two processes on gloo: the joint batch's losses and weights, up to the order of sums."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script))
    options = {**SMALL, "steps": 4}
    told, ended = in_a_process(tmp_path / "two", options, launcher=launcher)
    assert (told, ended) == ([1, 2, 3, 4], 0)
    assert in_a_process(tmp_path / "one", options)[1] == 0
    pd.testing.assert_frame_equal(history(tmp_path / "two"), history(tmp_path / "one"), rtol=0.02, atol=1e-3)
    one, two = (torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("one", "two"))
    with seeded(0):
        start = InfoWaveGAN(codes=2, latent=6, width=1, samples=1024).state_dict()
    for name in ("generator.transposed1.convolution.weight", "q_network.conv3.convolution.weight"):
        alone, shared = one["model"][name], two["model"][name]
        # Adam makes whole steps of rounding where gradients cancel; half of the batch alone differs by more than 1.
        assert (alone - shared).norm() < 0.25 * (alone - start[name]).norm()


def test_shares_of_two_processes_are_the_batch():
    batch = torch.arange(8)
    assert torch.equal(torch.cat([Processes(rank, 2).share(batch) for rank in range(2)]), batch)


def test_time_may_be_limited():
    result = train_gan(tones(), **SMALL, steps=1000, hours=1e-9)
    assert result.history["step"].tolist() == [1]
    assert "1e-09 h was up after step 1 of 1000" in result.stopped


def test_losses_that_explode_leave_the_last_good_network(monkeypatch):
    result = train_gan(tones(), **SMALL, steps=2)

    class Exploding(loop.TrainingStep):
        def __call__(self):
            losses = super().__call__()
            self.calls = getattr(self, "calls", 0) + 1
            return losses if self.calls < 4 else losses * float("nan")

    monkeypatch.setattr(loop, "TrainingStep", Exploding)
    stopped = train_gan(tones(), **SMALL, steps=50)
    assert re.search(r"no longer finite at step 4 \(critic_gap nan", stopped.stopped)
    assert (stopped.best_step, len(stopped.history)) == (2, 1)
    for name, value in result.model.state_dict().items():
        assert torch.equal(stopped.model.state_dict()[name], value)
    assert "finite" in stopped.card.training["ended"]


def test_losses_that_explode_at_once_are_an_error():
    with pytest.raises(FitError, match=r"no longer finite at step \d+ .*learning_rate"):
        train_gan(tones(), **SMALL, steps=40, learning_rate=1e30)


def test_the_best_step_hears_and_speaks_and_has_not_collapsed():
    alive = {"diversity": 0.8, "code_entropy": 0.9, "code_information": 0.5}
    rows = [
        {**alive, "spectral_distance": 0.4},
        {**alive, "spectral_distance": 0.3, "code_information": 0.6},
        {**alive, "spectral_distance": 0.3},
        {**alive, "spectral_distance": 0.1, "diversity": 0.2},
        {**alive, "spectral_distance": 0.1, "code_entropy": 0.1},
    ]
    assert best_row(rows) == 1
    assert best_row(rows[3:]) == 0


def test_bad_corpora_and_parameters_are_refused():
    with pytest.raises(CorpusError, match="24 tokens to learn from, too few for a batch of 25"):
        train_gan(tones(), **{**SMALL, "batch_size": 25}, steps=1)
    with pytest.raises(CorpusError, match=r"2 words, but only 1 categories.*codes=2"):
        train_gan(tones(), **SMALL, steps=1, codes=1)
    with pytest.raises(CorpusError, match=r"3 words, but only 1 bits \(2 codes\).*codes=2"):
        train_gan(tones(words=("high", "low", "middle")), **SMALL, steps=1, codes=1, kind="fiwgan")
    with pytest.raises(AudioError, match="1024 samples"):
        train_gan(Clips(tones().corpus, rate_hz=16000, samples=1024), **SMALL, steps=1)
    with pytest.raises(ArgumentError, match="kind"):
        train_gan(tones(), **SMALL, steps=1, kind="wavegan")
    with pytest.raises(ArgumentError, match="hours"):
        train_gan(tones(), **SMALL, steps=1, hours=-1)
    with pytest.raises(ArgumentError, match="precision"):
        train_gan(tones(), **SMALL, steps=1, precision="float8")


def test_resuming_something_else_is_refused(trained, tmp_path):
    _, folder = trained
    with pytest.raises(ArgumentError, match="holds a training already"):
        train_gan(tones(), **SMALL, steps=8, seed=1, folder=folder)
    with pytest.raises(ArgumentError, match=r"batch_size is 4, but was 8; seed is 2, but was 1\. Pass"):
        train_gan(tones(), **{**SMALL, "batch_size": 4}, steps=8, seed=2, folder=folder, resume=True)
    with pytest.raises(ArgumentError, match="the speech is not the same"):
        train_gan(tones(repetitions=3), **SMALL, steps=8, seed=1, folder=folder, resume=True)
    with pytest.raises(ArgumentError, match="no training to resume"):
        train_gan(tones(), **SMALL, steps=8, folder=tmp_path, resume=True)
    with pytest.raises(ArgumentError, match="'folder' is None"):
        train_gan(tones(), **SMALL, steps=8, resume=True)
    (tmp_path / "state.pt").write_bytes((folder / "state.pt").read_bytes()[:1000])
    with pytest.raises(DataError, match="damaged"):
        train_gan(tones(), **SMALL, steps=8, seed=1, folder=tmp_path, resume=True)
