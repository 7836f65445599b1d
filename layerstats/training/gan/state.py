"""The state of a training on disk: what is needed to go on as if nothing had happened."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from layerstats.errors import ArgumentError, DataError
from layerstats.training.gan.options import GanOptions

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


def read_state(folder: Path, options: GanOptions, corpus_hash: str) -> dict[str, Any]:
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
    differences = options.differences(state["options"])
    if state["corpus_hash"] != corpus_hash:
        differences.append("the speech is not the same")
    if differences:
        raise ArgumentError(
            f"The training in {folder} cannot be resumed with other hyperparameters: {'; '.join(differences)}. "
            "Pass those it began with, or choose another folder."
        )
    return state


def refuse_unfinished(folder: Path) -> None:
    """Raise `ArgumentError` where a training would overwrite another one's state."""
    if (folder / FILE).exists():
        raise ArgumentError(f"{folder} holds a training already. Pass resume=True to go on, or choose another folder.")
