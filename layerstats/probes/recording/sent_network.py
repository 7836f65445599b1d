"""A network on its way to another process: pickled with what pickle alone does not take, and loaded once there."""

from __future__ import annotations

import importlib.util
import io
import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from layerstats.errors import ArgumentError, WorkerError

_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class SentNetwork:
    """A network as bytes.

    Parameters
    ----------
    content : bytes
        The module, pickled.
    files : tuple of (str, str)
        Names and files of Python modules that define its classes and that nobody finds by their names, such as a
        FILE.py of the command line.
    """

    content: bytes
    files: tuple[tuple[str, str], ...]

    @staticmethod
    def of(model: nn.Module, whole: object = None) -> SentNetwork:
        """Pickle a network, or an object that holds it.

        Raises
        ------
        ArgumentError
            It holds what cannot be pickled, such as a function that was made within another.

        Examples
        --------
        >>> network = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> SentNetwork.of(network).load().weight.equal(network.weight)
        True
        """
        content = io.BytesIO()
        try:
            _Pickler(content, protocol=pickle.HIGHEST_PROTOCOL).dump(model if whole is None else whole)
        except Exception as error:
            raise ArgumentError(
                f"This {type(model).__name__} cannot be sent to another process ({type(error).__name__}: {error}). Its "
                "classes and functions must stand at the level of a module; hooks that others set on it must be taken "
                "off. With workers=1 and without a client it is recorded here."
            ) from error
        return SentNetwork(content.getvalue(), tuple(dict(_files(model)).items()))

    def load(self) -> Any:
        """Return the network, or what holds it.

        Raises
        ------
        WorkerError
            A file or a module that defines its classes is not there.
        """
        for name, file in self.files:
            _import_file(name, file)
        try:
            return pickle.loads(self.content)
        except (ImportError, AttributeError) as error:
            raise WorkerError(
                f"The network's classes cannot be imported here ({error}). Put them into a file or a package that all "
                "workers can import; those of a notebook can only be recorded with workers=1 and without a client."
            ) from error


def load_in_worker(sent: SentNetwork, store: Path) -> Any:
    """Return what was sent, in a process that is to write to a store; from then on torch has one thread there.

    Raises
    ------
    WorkerError
        The process does not see the store, or cannot import the network's classes.
    """
    if not store.is_dir():
        raise WorkerError(
            f"Workers do not see the store {store}. Put it into a folder that all machines share under the same name, "
            "and see with `layerstats cluster ADDRESS --folder FOLDER` which workers see a folder."
        )
    # Sums of some networks differ in the last bit with the number of threads.
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    return sent.load()


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        """Take parametrized modules apart: torch gives each a class of its own, which pickle cannot find."""
        if isinstance(obj, nn.Module) and "parametrizations" in obj._modules and parametrize.is_parametrized(obj):
            names = list(obj.parametrizations._modules)  # pyright: ignore[reportAttributeAccessIssue]
            # What weight_norm does when weights are loaded is a function within a function, and not needed any more.
            return _parametrized, (type(obj).__mro__[1], names, {**obj.__dict__, "_load_state_dict_pre_hooks": {}})
        return NotImplemented


def _parametrized(kind: type[nn.Module], names: Sequence[str], state: dict[str, Any]) -> nn.Module:
    module = kind.__new__(kind)
    module.__dict__.update(state)
    parametrize._inject_new_class(module)
    for name in names:
        parametrize._inject_property(module, name)
    return module


def _files(model: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield the Python files that define a network's classes and are no modules that are found by their names."""
    for name in sorted({type(module).__module__ for module in model.modules()} - {"__main__", "__mp_main__"}):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None or "." in name:
            continue
        # Installed packages are where every worker finds them; a file beside a script is not.
        if not _INSTALLED & set(Path(file).resolve().parts):
            yield name, str(Path(file).resolve())


def _import_file(name: str, file: str) -> None:
    if name in sys.modules:
        return
    folder = str(Path(file).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(name, file)
    if not Path(file).is_file() or spec is None or spec.loader is None:
        raise WorkerError(
            f"The file {file}, which defines the network, is not seen by this worker. Put it where all of them see it."
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
