"""What a function in a user's Python file returns, loaded as Python runs a script, with its failures in one line."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from layerstats.errors import ArgumentError, LayerstatsError


def object_from_file(spec: str, kind: type[Any], *, what: str, returned: str, otherwise: str = "") -> Any:
    """Return what FILE.py:NAME is, where that is of a kind, or else what calling it returns.

    The file is read as Python reads a script: it may import the files beside it.

    Parameters
    ----------
    spec : str
        FILE.py:FUNCTION.
    kind : type
        What must come out; a protocol that can be checked at run time will do.
    what, returned : str
        What it is for, and what the function returns, for messages: "network", "a torch.nn.Module".
    otherwise : str
        What else may be given, for the message: "a checkpoint FILE.safetensors, or ".

    Raises
    ------
    ArgumentError
        The file does not exist, cannot be run, has no such function, or what it returns is of another kind.
    """
    file, _, function = spec.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not function or not path.is_file():
        missing = f"there is no file {file}; " if path.suffix == ".py" and not path.is_file() else ""
        raise ArgumentError(
            f"Invalid {what} {spec!r}: {missing}give {otherwise}FILE.py:FUNCTION where FUNCTION() returns {returned}."
        )
    with _importable(path.resolve().parent), _without_arguments(path):
        found = _read(path, function)
        if isinstance(found, kind) and not isinstance(found, type):
            return found
        if not callable(found):
            raise ArgumentError(f"{spec} is a {type(found).__name__}, not a function that returns {returned}.")
        with _explained(path, f"{function}()"):
            made = found()
    if not isinstance(made, kind):
        raise ArgumentError(f"{spec} returned {type(made).__name__}, not {returned}.")
    return made


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
