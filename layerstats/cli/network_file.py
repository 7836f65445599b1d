"""Networks by name: a checkpoint of layerstats, or a Python file with a function that returns a torch module."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from layerstats.errors import ArgumentError, LayerstatsError

if TYPE_CHECKING:
    from torch import nn

    from layerstats.models import ModelCard


def load_network(spec: str) -> tuple[nn.Module, ModelCard | None]:
    """Load a network: a layerstats checkpoint (.safetensors) and its card, or FILE.py:FUNCTION that returns a module.

    The file is read as Python reads a script: it may import the files beside it.

    Raises
    ------
    ArgumentError
        If the file does not exist, cannot be run, has no such function, or what it returns is not a module.
    """
    from torch import nn

    from layerstats.models import load_checkpoint

    if spec.endswith(".safetensors"):
        return load_checkpoint(spec)
    file, _, function = spec.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not function or not path.is_file():
        missing = f"there is no file {file}; " if path.suffix == ".py" and not path.is_file() else ""
        raise ArgumentError(
            f"Invalid network {spec!r}: {missing}give a checkpoint FILE.safetensors, or FILE.py:FUNCTION where "
            "FUNCTION() returns a torch.nn.Module."
        )
    with _importable(path.resolve().parent), _without_arguments(path):
        found = _read(path, function)
        if isinstance(found, nn.Module):
            return found, None
        if not callable(found):
            raise ArgumentError(f"{spec} is a {type(found).__name__}, not a function that returns a torch.nn.Module.")
        with _explained(path, f"{function}()"):
            network = found()
    if not isinstance(network, nn.Module):
        raise ArgumentError(f"{spec} returned {type(network).__name__}, not a torch.nn.Module.")
    return network, None


def _read(path: Path, function: str) -> object:
    module_spec = importlib.util.spec_from_file_location(path.stem, path)
    if module_spec is None or module_spec.loader is None:
        raise ArgumentError(f"{path} cannot be read as Python.")
    module = importlib.util.module_from_spec(module_spec)
    with _explained(path, "it"), _known_as(path.stem, module):
        module_spec.loader.exec_module(module)
    if not hasattr(module, function):
        raise ArgumentError(f"{path} has no function {function!r}.")
    return getattr(module, function)


@contextmanager
def _known_as(name: str, module: ModuleType) -> Iterator[None]:
    """Let dataclasses and files beside it find the module by its name; a library of the same name keeps it."""
    before = sys.modules.get(name)
    library = before is not None and not _is_beside(before, module)
    if not library:
        sys.modules[name] = module
    try:
        yield
    except BaseException:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        raise


def _is_beside(one: ModuleType, other: ModuleType) -> bool:
    return getattr(one, "__file__", None) == other.__file__


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Put a folder first on the path, as for a script; afterwards last, for what the network imports as it runs."""
    place = str(folder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)
        if place not in sys.path:
            sys.path.append(place)


@contextmanager
def _without_arguments(path: Path) -> Iterator[None]:
    """Let a file that reads the command line find none: what stands there is meant for layerstats."""
    before = sys.argv
    sys.argv = [str(path)]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a user's file raises, or its call of `sys.exit`, into one line with the place."""
    try:
        yield
    except LayerstatsError:
        raise
    except SystemExit as error:
        raise ArgumentError(
            f"{path} called sys.exit({error.code!r}) when {what} was run. Put what it does as a script under "
            "if __name__ == '__main__':"
        ) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Theirs may be of any kind, and fail to say what they are.
        reason = " ".join(" ".join(traceback.format_exception_only(error)).split())
        raise ArgumentError(f"{path} failed when {what} was run{_place(error, path)}: {reason}") from error


def _place(error: BaseException, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return f" (line {lines[-1]})" if lines else ""
