"""What a shell offers where a value is typed: quickly, and nothing where something is wrong."""

from __future__ import annotations

import ast
import gzip
import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]
# Values of more than this are not read out of a store: a shell would show screens of them.
_MOST = 500


def completed(name: str, about: str = "") -> Callable[..., list[str]] | None:
    """Return what finds the values of a parameter.

    Parameters
    ----------
    name
        Of the parameter.
    about
        Its help; what it lists in one word each, as "csv, parquet or netcdf.", can be completed.
    """
    if name in _FINDERS:
        find = _FINDERS[name]
    elif values := listed_values(about):
        find = _constant(values)
    else:
        return None

    def complete(ctx: Any, incomplete: str) -> list[str]:
        try:
            return list(_after_commas(incomplete, find(ctx)))
        except Exception:  # noqa: BLE001 a shell that completes shows no traceback
            return []

    # typer takes annotations as they are when it looks for them by type.
    complete.__annotations__ = {"incomplete": str}
    return complete


def listed_values(about: str) -> list[str]:
    """Return the values that the first sentence of a help lists, or nothing.

    Examples
    --------
    >>> listed_values("Rows with missing values: error, or omit."), listed_values("Seed of simulated intervals.")
    (['error', 'omit'], [])
    """
    sentence = re.split(r"[.;(]", about)[0].strip()
    listed = sentence.partition(": ")[2] or sentence
    values = [value.strip() for value in re.split(r",\s*or |,\s*| or ", listed)]
    return values if len(values) > 1 and all(re.fullmatch(r"[A-Za-z]\w*", value) for value in values) else []


def _after_commas(incomplete: str, values: list[str]) -> Iterator[str]:
    """Offer values for the last of several that commas separate."""
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",") if comma else []
    return (f"{before}{comma}{value}" for value in values if value.startswith(last) and value not in taken)


def _constant(values: list[str]) -> Callable[[Any], list[str]]:
    return lambda ctx: values


def _stores(ctx: Any) -> list[Path]:
    """Return the stores that are typed already."""
    # An option without its value, which is what is completed, leaves the arguments unread.
    given = [*ctx.params.values(), *ctx.args]
    values = [one for value in given for one in (value if isinstance(value, list | tuple) else [value])]
    paths = [Path(value) for value in values if isinstance(value, str | Path) and str(value)]
    return [path for path in paths if (path / "zarr.json").exists()]


def _layers(ctx: Any) -> list[str]:
    """Return the layers of all recordings: the groups in them, which have a file of their own."""
    return _distinct(
        group.parent.name
        for store in _stores(ctx)
        for group in sorted(store.glob("recordings/*/*/zarr.json"))
        if json.loads(group.read_text(encoding="utf-8"))["node_type"] == "group"
    )


def _recordings(ctx: Any) -> list[str]:
    return _distinct(
        group.parent.name for store in _stores(ctx) for group in sorted(store.glob("recordings/*/zarr.json"))
    )


def _ratings(ctx: Any) -> list[str]:
    return _distinct(table.parent.name for store in _stores(ctx) for table in sorted(store.glob("ratings/*/zarr.json")))


def _column(table: str, column: str) -> Callable[[Any], list[str]]:
    def find(ctx: Any) -> list[str]:
        return _distinct(sorted(value for store in _stores(ctx) for value in stored_text(store / table / column)))

    return find


def stored_text(array: Path) -> set[str]:
    """Return the values of a column of text of a store, as docs/store-format.md has them: "vlen-utf8", then gzip."""
    values: set[str] = set()
    for chunk in sorted(path for path in array.glob("c/*") if path.is_file()):
        data = gzip.decompress(chunk.read_bytes())
        (count,), at = struct.unpack_from("<I", data), 4
        for _ in range(count):
            (length,) = struct.unpack_from("<I", data, at)
            values.add(data[at + 4 : at + 4 + length].decode())
            at += 4 + length
        if len(values) > _MOST:
            return set()
    return values


def _keys(file: str, table: str) -> list[str]:
    """Return the keys of a dictionary at the top of a module, which takes seconds to import."""
    tree = ast.parse((_PACKAGE / file).read_text(encoding="utf-8"))
    dictionaries = (
        node for node in tree.body if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == table
    )
    return [ast.literal_eval(key) for node in dictionaries for key in getattr(node.value, "keys", ())]


def _corpora(ctx: Any) -> list[str]:
    built_in = ["demo", "demo:35", "demo:48", "demo:sentences"]
    return built_in + [f"{kind}:" for kind in _keys("corpora/registry.py", "READERS")]


def _judges(ctx: Any) -> list[str]:
    return _keys("judges/registry.py", "JUDGES")


def _distinct(values: Any) -> list[str]:
    return list(dict.fromkeys(values))


_FINDERS: dict[str, Callable[[Any], list[str]]] = {
    "layers": _layers,
    "layer": _layers,
    "recording": _recordings,
    "recordings": _recordings,
    "stored": _ratings,
    "words": _column("tokens", "word"),
    "word": _column("tokens", "word"),
    "split": _column("tokens", "split"),
    "phones": _column("phones", "label"),
    "corpus": _corpora,
    "judges": _judges,
}
