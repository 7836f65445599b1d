"""Encoders of the transformers library from a folder on this machine: all of their weights, or a clear refusal."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import CRITICAL
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerstats.checks import require
from layerstats.errors import ArgumentError, DataError, MissingFileError
from layerstats.models.seeding import seeded

# Speech encoders that this room opens, by the name that transformers writes into config.json.
MODEL_TYPES = ("whisper", "wav2vec2", "hubert", "wavlm")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
# What fills masked stretches in training only: no recording ever hears it.
_OF_TRAINING = ("masked_spec_embed",)
_TOLD = 6
# What is used of the settings by which speech is prepared, as numbers.
_COUNTS = ("sampling_rate", "n_fft", "hop_length")
_POINTER = b"version https://git-lfs"


def library() -> Any:
    """Return the transformers library, or say how to install it."""
    return require("transformers", "open a network of the transformers library", "pretrained")


def find_folder(kind: str, place: str) -> Path:
    """Return the folder of a network: a path, or a hub name whose files are on this machine already.

    Raises
    ------
    ArgumentError
        No place was named.
    MissingFileError
        There is no such folder, and no such name among the files that the hub's client keeps.
    """
    if not place:
        raise ArgumentError(f"Say which folder holds the network: {kind}:DIR.")
    folder = Path(os.path.expanduser(place))  # which leaves ~nobody as it is
    if os.path.isfile(folder):
        raise ArgumentError(f"{folder} is a file; give the folder that save_pretrained wrote: {kind}:{folder.parent}")
    if os.path.isdir(folder):
        return folder
    named = place.count("/") == 1 and not place.startswith((".", "/", "~"))
    kept = _kept_by_hub(place) if named else None
    if kept is not None:
        return kept
    name = place if named else "NAME"
    raise MissingFileError(
        f"There is no folder {place}, and nothing is fetched from the internet here. Get the files of a network on the "
        f"Hugging Face hub with: hf download {name} --local-dir DIR. Then open {kind}:DIR."
    )


def _kept_by_hub(name: str) -> Path | None:
    library()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Return what a file of settings in a folder says; nothing where it is absent.

    Raises
    ------
    DataError
        It is no JSON object.
    """
    path = folder / name
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is not readable as JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} holds no settings by name.")
    return found


def read_preparation(folder: Path) -> dict[str, Any]:
    """Return how a folder says that speech is prepared for its network; nothing where it does not say.

    It stands in processor_config.json as transformers writes it from version 5 on, else in preprocessor_config.json.

    Raises
    ------
    DataError
        A setting that is used here is of another kind.
    """
    for name, inner in (("processor_config.json", "feature_extractor"), ("preprocessor_config.json", None)):
        told = read_json(folder, name)
        told = told if inner is None else told.get(inner)
        if isinstance(told, dict) and told:
            break
    else:
        return {}
    for setting in set(_COUNTS) & set(told):
        value = told[setting]
        whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
        if not whole or value < 1:
            raise DataError(f"{folder / name} says {setting}={value!r}, which is no positive whole number.")
    if not isinstance(told.get("do_normalize"), bool | None):
        raise DataError(f"{folder / name} says do_normalize={told['do_normalize']!r}, which is neither true nor false.")
    return {setting: int(value) if setting in _COUNTS else value for setting, value in told.items()}


def check_folder(kind: str, folder: Path) -> None:
    """Raise unless a folder holds the settings and the weights of a network of this kind.

    Raises
    ------
    DataError
        It holds another network, or none.
    MissingFileError
        It has no settings or no weights.
    """
    config = read_json(folder, "config.json")
    if not config:
        raise MissingFileError(f"{folder} has no config.json: it is no folder that save_pretrained wrote.")
    found = config.get("model_type")
    if found != kind:
        what = ", ".join(config.get("architectures") or []) or "no architecture"
        advice = (
            f"Open it as {found}:{folder}."
            if found in MODEL_TYPES
            else f"No encoder of speech is known here by that name ({', '.join(MODEL_TYPES)} are). A function that "
            "returns it can be given as FILE.py:FUNCTION."
        )
        raise DataError(f"{folder} holds a network of the type {found!r} ({what}), not {kind!r}. {advice}")
    weights = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    for file in (*weights, *folder.glob("model-*-of-*.safetensors")):
        with file.open("rb") as content:
            if content.read(len(_POINTER)) == _POINTER:
                raise DataError(
                    f"{file} holds no weights but says where Git LFS keeps them. Get them with: git lfs pull, or "
                    "hf download NAME --local-dir DIR."
                )
    if not weights:
        raise MissingFileError(
            f"{folder} has settings but no weights (none of {', '.join(_WEIGHTS)}). Fetch or copy all of its files; "
            f"nothing is fetched here, and no network is recorded with weights that nobody trained. For the untrained "
            "architecture, see layerstats.models.untrained."
        )


def load_encoder(
    kind: str, folder: Path, model_class: Any, needed: Callable[[str], bool] = lambda name: True
) -> tuple[nn.Module, list[str]]:
    """Return a network with the weights in a folder, in eval mode, float32, and notes on what was left out.

    Parameters
    ----------
    kind : str
        Its type in config.json.
    folder : Path
        What `save_pretrained` wrote.
    model_class : type
        A class of transformers with `from_pretrained`, without a head.
    needed : callable
        Whether the weight of that name is used; all others may be absent.

    Raises
    ------
    DataError
        Weights that are needed are absent or of other shapes, so that they would be newly initialised, or hold NaN; or
        files are damaged.
    """
    check_folder(kind, folder)
    options = {"local_files_only": True, "output_loading_info": True, "ignore_mismatched_sizes": True}
    try:
        with _quietly(), seeded(0):
            network, told = model_class.from_pretrained(str(folder), dtype=torch.float32, **options)
    except Exception as error:
        # Its colours are for a terminal, and some errors say nothing.
        reason = " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split()) or type(error).__name__
        raise DataError(f"The network in {folder} cannot be loaded: {reason}") from error
    absent = sorted(name for name in told["missing_keys"] if needed(name) and name not in _OF_TRAINING)
    if absent:
        raise DataError(
            f"The weights in {folder} lack {_listed(absent)} of {len(network.state_dict())}, which would be newly "
            f"initialised: what such a network says was never trained. {_instead(told)}"
        )
    other = sorted(str(one[0]) for one in told["mismatched_keys"] if needed(str(one[0])))
    if other:
        raise DataError(
            f"The weights {_listed(other)} in {folder} have other shapes than its config.json says, and would be newly "
            "initialised. The files belong to different networks."
        )
    broken = sorted(
        name
        for name, weight in network.state_dict().items()
        if needed(name) and name not in _OF_TRAINING and not torch.isfinite(weight).all()
    )
    if broken:
        raise DataError(f"The weights {_listed(broken)} in {folder} hold NaN or infinite values. Get its files anew.")
    left = sorted(told["unexpected_keys"])
    notes = [f"Weights that its encoder does not have were left out: {_listed(left)}."] if left else []
    return network.eval(), notes


def _instead(told: dict[str, Any]) -> str:
    there = sorted(told["unexpected_keys"])
    return f"It holds instead {_listed(there)}: another network, or other names." if there else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers from writing on the terminal: what it says is read, and told by errors and notes."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
