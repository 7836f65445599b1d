"""Every public name of the package, where it is documented, and its example."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, get_origin

# In the order of the work: speech, networks, recordings, statistics, results. Where rooms share a name, it is
# documented in the first of them.
ROOMS = (
    "layerstats.corpora",
    "layerstats.models",
    "layerstats.models.pretrained",
    "layerstats.models.letters",
    "layerstats.models.vocoders",
    "layerstats.training",
    "layerstats.probes",
    "layerstats.probes.maximization",
    "layerstats.probes.maximization.priors",
    "layerstats.probes.relevance",
    "layerstats.probes.relevance.rules",
    "layerstats.probes.relevance.trust",
    "layerstats.judges",
    "layerstats.store",
    "layerstats.stats.gamm",
    "layerstats.stats",
    "layerstats.stats.networks",
    "layerstats.stats.success",
    "layerstats.tables",
    "layerstats.tables.glossary",
    "layerstats.plots",
    "layerstats.listening",
    "layerstats.listening.page",
    "layerstats.listening.server",
    "layerstats.report",
    "layerstats.report.audition",
    "layerstats.parallel",
    "layerstats.rbridge",
    "layerstats.errors",
    "layerstats",
)


@dataclass(frozen=True)
class PublicName:
    """A public name: its room, what it is, and the function whose example shows it where it has none of its own."""

    room: str
    name: str
    value: Any

    @property
    def path(self) -> str:
        """Where it is imported from."""
        return f"{self.room}.{self.name}"

    @property
    def kind(self) -> str:
        """What Sphinx calls it."""
        # A name of a type, such as `Literal["a", "b"]`, can be called and is no function.
        if get_origin(self.value) is not None:
            return "data"
        if inspect.isclass(self.value):
            return "class"
        return "function" if callable(self.value) else "data"

    @property
    def example(self) -> str:
        """Return the docstring's section of examples, "" if it has none."""
        section = re.search(r"^Examples\n-+\n(.*?)(?=^\S.*\n-{3,}\n|\Z)", inspect.getdoc(self.value) or "", re.S | re.M)
        return section.group(1).strip() if section and self.kind != "data" else ""


@cache
def public_names() -> tuple[PublicName, ...]:
    """List every public name once."""
    found: dict[int, PublicName] = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.ismodule(value):
                found.setdefault(
                    id(value) if callable(value) else hash((name, id(value))), PublicName(room, name, value)
                )
    return tuple(found.values())


@cache
def givers() -> dict[str, PublicName]:
    """Return, for classes without an example, a public function with one that returns them."""
    functions = [each for each in public_names() if each.kind == "function" and each.example]
    classes = [each for each in public_names() if each.kind == "class" and not each.example]
    found = {}
    for one in classes:
        for function in functions:
            given = str(function.value.__annotations__.get("return", ""))
            if re.search(rf"\b{one.name}\b", given):
                found[one.path] = function
                break
    return found


def without_example() -> list[str]:
    """List public functions and classes that neither have an example nor are given by something that has."""
    return [
        each.path
        for each in public_names()
        if each.kind != "data"
        and not each.example
        and each.path not in givers()
        and not (inspect.isclass(each.value) and issubclass(each.value, Exception))
        and not (each.room == "layerstats.plots" and each.kind == "function")
    ]
