"""The state of a training on disk: what is needed to go on as if nothing had happened."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from layerstats.errors import ArgumentError, DataError

FILE = "state.pt"


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state so that a kill at any moment leaves either the old or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE}.partial"
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / FILE)


def read_state(folder: Path, options: Mapping[str, object], corpus_hash: str) -> dict[str, Any]:
    """Read the state that a training with the same options on the same speech left.

    Raises
    ------
    ArgumentError
        There is none, or it was another training; the message names what differs.
    DataError
        The file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise ArgumentError(f"There is no training to resume in {folder}: it holds no {FILE}.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is damaged and cannot be resumed: {error}") from error
    differences = _differences(options, state["options"])
    if state["corpus_hash"] != corpus_hash:
        differences.append("the speech is not the same")
    if differences:
        raise ArgumentError(
            f"The training in {folder} cannot be resumed with other hyperparameters: {'; '.join(differences)}. "
            "Pass those it began with, or choose another folder."
        )
    return state


def _differences(options: Mapping[str, object], others: Mapping[str, object]) -> list[str]:
    return [
        f"{name} is {value!r}, but was {others.get(name)!r}"
        for name, value in options.items()
        if value != others.get(name)
    ]


def state_to_resume(
    folder: Path | None, resume: bool, options: Mapping[str, object], corpus_hash: str
) -> dict[str, Any] | None:
    """Return the state to go on from, None for a new training, after making sure that none is overwritten.

    Raises
    ------
    ArgumentError
        There is nothing to resume, it was another training, or the folder holds a training that would be overwritten.
    DataError
        The file is damaged.
    """
    if not resume:
        if folder is not None:
            refuse_unfinished(folder)
        return None
    if folder is None:
        raise ArgumentError("The 'resume' parameter needs the folder of the training, but 'folder' is None.")
    return read_state(folder, options, corpus_hash)


def refuse_unfinished(folder: Path) -> None:
    """Raise `ArgumentError` where a training would overwrite another one's state."""
    if (folder / FILE).exists():
        raise ArgumentError(
            f"{folder} holds a training already. Pass resume=True (--resume) to go on, or choose another folder."
        )
