"""A listening test as experiments of Praat (ExperimentMFC 7), a file a session, with its sounds beside them."""

from __future__ import annotations

import shutil
import wave
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from layerstats.corpora.audio import resample
from layerstats.corpora.decoding import decoded
from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError, DataError
from layerstats.files import explaining, replacing
from layerstats.listening.design import ListeningDesign
from layerstats.listening.formats.praat_text import drawn, quoted, stimulus_names

_FOLDER = "Sounds"
_BREAK_AFTER = 40
# Seconds before a sound, between the sounds of a pair, and after.
_SILENCES = (0.3, 0.5, 0.2)
_MOST_IN_A_ROW = 6
# Where buttons stand, in shares of the height of the screen, and how high one may be.
_TOP, _BOTTOM, _HIGHEST = 0.8, 0.15, 0.25
# Buttons that a person can still tell apart on a screen.
_MOST_BUTTONS = 60


def write_praat(design: ListeningDesign, folder: str | Path) -> list[Path]:
    """Write a design for Praat.

    In Praat, open `session_N.ExperimentMFC`, run it, extract the results and save them as a text file by the name of
    the listener; `read_answers` reads these with the design. Trials come in the order of the design, with a break after
    every 40. Praat plays sounds of one rate: those of another, such as spoken catch trials, are resampled.

    Parameters
    ----------
    design : ListeningDesign
        As `read_design` gives it, which knows where its sounds are.
    folder : path
        Where the experiments go, and their sounds into `Sounds`, named after their clips.

    Returns
    -------
    list of Path
        The experiments, one a session.

    Raises
    ------
    ArgumentError
        Answers are typed, which Praat has not, or there are more alternatives than buttons on a screen.
    DataError
        A sound is missing or is no WAV file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from layerstats.listening import make_design, read_design
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_wav(f"{folder}/yes.wav", np.sin(np.arange(1600) / 5), 16000)
    ...     table = pd.DataFrame({"clip": ["yes"], "file": [f"{folder}/yes.wav"], "condition": ["natural"]})
    ...     design = make_design(table, task="opinion", raters_per_clip=2, trials_per_session=1, catch=0, rules=())
    ...     _ = design.write(f"{folder}/design")
    ...     [path.name for path in write_praat(read_design(f"{folder}/design"), f"{folder}/praat")]
    ['session_1.ExperimentMFC', 'session_2.ExperimentMFC']
    """
    _buttons(design)
    folder = Path(folder)
    _write_sounds(design, folder / _FOLDER)
    written = []
    width = len(str(design.trials["session"].max()))
    for session, own in design.trials.sort_values(["session", "position"]).groupby("session", sort=True):
        path = folder / f"session_{int(str(session)):0{width}d}.ExperimentMFC"
        with replacing(path) as partial:
            partial.write_text(experiment_text(design, own), encoding="utf-8")
        written.append(path)
    return written


def experiment_text(design: ListeningDesign, trials: pd.DataFrame) -> str:
    """Return the text of an experiment of some trials; nothing of it may be left out or come in another order."""
    names, buttons = stimulus_names(design.clips["clip"]), _buttons(design)
    prompts = design.clips.set_index("clip").get("prompt")
    before, between, after = _SILENCES
    stimuli = []
    for trial in trials.to_dict("records"):
        prompt = None if prompts is None else prompts[trial["clip"]]
        text = "" if prompt is None or pd.isna(prompt) else drawn(f"{design.question} {prompt}")
        stimuli.append(
            f"\t{quoted(_stimulus(design.task, names[trial['clip']], bool(trial.get('swapped'))))} {quoted(text)}"
        )
    start = "\n\n".join(
        design.texts[name] for name in ("consent", "headphones", "instructions") if design.texts.get(name)
    )
    anchors = "\n".join(f"{point.value} {point.label}: {point.anchor}" for point in design.scale if point.anchor)
    lines = [
        '"ooTextFile"',
        '"ExperimentMFC 7"',
        "blankWhilePlaying? <no>",
        "stimuliAreSounds? <yes>",
        f"stimulusFileNameHead = {quoted(_FOLDER + '/')}",
        'stimulusFileNameTail = ".wav"',
        'stimulusCarrierBefore = ""',
        'stimulusCarrierAfter = ""',
        f"stimulusInitialSilenceDuration = {before} seconds",
        f"stimulusMedialSilenceDuration = {between} seconds",
        f"stimulusFinalSilenceDuration = {after} seconds",
        f"numberOfDifferentStimuli = {len(stimuli)}",
        *stimuli,
        "numberOfReplicationsPerStimulus = 1",
        f"breakAfterEvery = {_BREAK_AFTER}",
        "randomize = <CyclicNonRandom>",
        f"startText = {quoted(drawn(chr(10).join(filter(None, [start, anchors, 'Click to start.']))))}",
        f"runText = {quoted(drawn(design.question))}",
        'pauseText = "You can have a short break. Click to proceed."',
        f"endText = {quoted(drawn(design.texts.get('thanks') or 'The experiment has finished.'))}",
        "maximumNumberOfReplays = 20",
        'replayButton = 0.3 0.7 0.02 0.1 "Hear it again (space)" " "',
        'okButton = 0 0 0 0 "" ""',
        'oopsButton = 0 0 0 0 "" ""',
        'responsesAreSounds? <no> "" "" "" "" 0 0 0',
        f"numberOfDifferentResponses = {len(buttons)}",
        *_button_lines(buttons),
        "numberOfGoodnessCategories = 0",
    ]
    return "\n".join(lines) + "\n"


def _stimulus(task: str, name: str, swapped: bool) -> str:
    """Return the sounds of a trial as Praat plays them one after another."""
    if task not in ("preference", "abx"):
        return name
    pair = [f"{name}_b", f"{name}_a"] if swapped else [f"{name}_a", f"{name}_b"]
    # As the design's question and instructions name them: A, B, then X.
    return ",".join([*pair, *([f"{name}_x"] if task == "abx" else [])])


def _buttons(design: ListeningDesign) -> list[tuple[str, str]]:
    """Return what stands on each button, and what is stored."""
    if design.task == "opinion":
        return [(f"{point.value} {point.label}".strip(), str(point.value)) for point in design.scale]
    if design.task == "identification":
        if not design.alternatives:
            raise ArgumentError("Praat has buttons only, but the answers of this design are typed: use its own page.")
        if len(design.alternatives) > _MOST_BUTTONS:
            raise ArgumentError(
                f"A screen of Praat has room for {_MOST_BUTTONS} buttons, not {len(design.alternatives)}."
            )
        return [(one, one) for one in design.alternatives]
    same = [("no difference", "same")] if "same" in design.alternatives else []
    first, second = ("X is A", "X is B") if design.task == "abx" else ("the first", "the second")
    return [(first, "first"), (second, "second"), *same]


def _button_lines(buttons: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line a button: where it is on a screen from 0 to 1, its text, font size, key and what is stored."""
    rows = -(-len(buttons) // _MOST_IN_A_ROW)
    in_a_row = -(-len(buttons) // rows)
    lines = []
    for place, (text, stored) in enumerate(buttons):
        row, column = divmod(place, in_a_row)
        height = min((_TOP - _BOTTOM) / rows, _HIGHEST)
        left, top = column / in_a_row, _TOP - height * row
        size = 24 if len(buttons) <= _MOST_IN_A_ROW else 16
        key = str(place + 1) if len(buttons) <= 9 else ""
        edges = (left + 0.01, left + 1 / in_a_row - 0.01, top - height + 0.01, top - 0.01)
        corners = " ".join(f"{edge:.4f}" for edge in edges)
        lines.append(f"\t{corners} {quoted(drawn(text))} {size} {quoted(key)} {quoted(stored)}")
    return lines


def _write_sounds(design: ListeningDesign, folder: Path) -> None:
    """Write the sounds, named after their clips, at the rate that most of them have: Praat refuses several rates."""
    sides = {"preference": ("_a", "_b"), "abx": ("_a", "_b", "_x")}.get(design.task, ("",))
    names = stimulus_names(design.clips["clip"])
    sources: dict[str, Path] = {}
    for clip in design.clips.to_dict("records"):
        for side in sides:
            file = str(clip[f"file{side}"])
            source = design.sounds.get(file)
            if not isinstance(source, Path) or not source.is_file():
                raise DataError(
                    f"The sound {file!r} is not there: write the design into a folder, and read it from there."
                )
            sources[f"{names[str(clip['clip'])]}{side}"] = source
    kinds = {source: _kind(source) for source in sources.values()}
    rate_hz = Counter(rate for rate, _ in kinds.values()).most_common(1)[0][0]
    for name, source in sources.items():
        target = folder / f"{name}.wav"
        with explaining(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if kinds[source] == (rate_hz, 1):
                shutil.copyfile(source, target)
            else:
                samples = decoded(source)
                mono = samples.mean(axis=1) if samples.ndim > 1 else samples
                write_wav(target, resample(mono, kinds[source][0], rate_hz), rate_hz)


def _kind(file: Path) -> tuple[int, int]:
    """Return the rate (Hz) and the number of channels of a WAV file."""
    try:
        with wave.open(str(file)) as sound:
            return sound.getframerate(), sound.getnchannels()
    except (wave.Error, EOFError) as error:
        raise DataError(f"{str(file)!r} cannot be played by Praat as it stands: {error}.") from None
