"""Which tables and figures some Python writes: its calls of an `Output`, read without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations, product
from pathlib import Path

# Methods of an `Output` that take what is written, its name and its title.
_KINDS = {"table": "table", "figure": "figure", "text": "text", "regression": "table", "sounds": "sounds"}
_BEFORE_NAME = {"table": 1, "figure": 1, "text": 0, "regression": 2, "sounds": 2}
_CLAIMS = (("claims", "What holds, in words"), ("sensitivity", "The same claims under other choices"))
# What a function of this package writes.
_WRITERS = {"write_answers": "report/listeners"}
# Of a title that is not known before it is run; of a name, its letters in capitals.
_OPEN = "…"
# Combinations of values that a name is made of; more are one pattern.
_MOST = 12


@dataclass(frozen=True)
class Written:
    """A table, figure or text: its name, in which what only the data say stands in capitals, and its title."""

    kind: str
    name: str
    title: str
    pattern: str

    def is_name(self, name: str) -> bool:
        """Whether a name that was written can be this one."""
        return fnmatchcase(name, self.pattern)


def written_outputs(files: Iterable[Path]) -> list[Written]:
    """Return what some files of Python write, in the order of their lines; each name once."""
    found: dict[tuple[str, str], Written] = {}
    for file in files:
        for one in _written_in(file):
            found.setdefault((one.kind, one.pattern), one)
    return list(found.values())


def _written_in(file: Path) -> Iterator[Written]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    values = _Values(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        function = call.func
        if isinstance(function, ast.Name) and function.id in _WRITERS:
            folder = Path(__file__).parents[1] / _WRITERS[function.id]
            yield from written_outputs(sorted(folder.glob("[a-k]*.py")) + sorted(folder.glob("[m-z]*.py")))
        if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
            continue
        if function.value.id not in ("output", "listeners"):
            continue
        if function.attr == "claims":
            yield from (Written("table", name, title, name) for name, title in _CLAIMS)
        elif function.attr in _KINDS:
            yield from _of_call(call, function.attr, values)


def _of_call(call: ast.Call, method: str, values: _Values) -> Iterator[Written]:
    first = _BEFORE_NAME[method]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    at = dict(enumerate(call.args))
    name, title = given.get("name", at.get(first)), given.get("title", at.get(first + 1))
    if pairs := values.together(name, title):
        for one, own in pairs:
            yield from _of_call(ast.Call(call.func, [*call.args[:first], one, own], []), method, values)
        return
    titles = values.texts(values.latest(title)) if title is not None else []
    said = re.sub(r"\W*\{(\w+)\}\W*", f" {_OPEN} ", titles[0]).strip() if len(titles) == 1 else ""
    for text in values.texts(name) if name is not None else []:
        shown = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), text)
        yield Written(_KINDS[method], shown, said if said != _OPEN else "", re.sub(r"\{\w+\}", "*", text))


class _Values:
    """What names of a module can be, as far as it says so: `{name}` where only running it does."""

    def __init__(self, tree: ast.Module) -> None:
        self._of: dict[str, list[ast.expr]] = {}
        self._together: dict[tuple[str, str], list[tuple[ast.expr, ast.expr]]] = {}
        self._parameters = {
            node.name: [argument.arg for argument in node.args.args]
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        for node in ast.walk(tree):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
                # Entries that a dictionary gets later.
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    entry = ast.Dict(keys=[target.slice], values=[node.value])
                    self._of.setdefault(target.value.id, []).append(entry)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For):
            self._bind_loop(node.target, node.iter)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._parameters:
            for parameter, value in zip(self._parameters[node.func.id], node.args, strict=False):
                self._bind(ast.Name(parameter), value)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            # A name that is handed on under the same name says nothing.
            if not (isinstance(value, ast.Name) and value.id == target.id):
                self._of.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, own in zip(target.elts, value.elts, strict=False):
                self._bind(one, own)
            for first, second in combinations(zip(target.elts, value.elts, strict=False), 2):
                if isinstance(first[0], ast.Name) and isinstance(second[0], ast.Name):
                    self._together.setdefault((first[0].id, second[0].id), []).append((first[1], second[1]))

    def _bind_loop(self, target: ast.expr, over: ast.expr) -> None:
        items = isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr == "items"
        for one in self._collections(over.func.value if items else over):  # type: ignore[union-attr]
            if isinstance(one, ast.Dict):
                for key, value in zip(one.keys, one.values, strict=True):
                    if key is not None:
                        self._bind(target, ast.Tuple([key, value]) if items else key)
            elif isinstance(one, ast.Tuple | ast.List):
                for element in one.elts:
                    self._bind(target, element)

    def _collections(self, node: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
        """Return the dictionaries, tuples and lists that are written out and that an expression can be, or be of."""
        inside: list[ast.expr] = []
        if isinstance(node, ast.Name):
            inside = self._of.get(node.id, [])
        elif isinstance(node, ast.BoolOp):
            inside = node.values
        elif isinstance(node, ast.DictComp) and isinstance(call := node.generators[0].iter, ast.Call):
            inside = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        else:
            yield node
        if depth < 4:
            for one in inside:
                yield from self._collections(one, depth + 1)

    def together(self, name: ast.expr | None, title: ast.expr | None) -> list[tuple[ast.expr, ast.expr]]:
        """Return what two names are, one with the other, where every value of them is bound so: in a loop over both."""
        if not (isinstance(name, ast.Name) and isinstance(title, ast.Name)):
            return []
        found = self._together.get((name.id, title.id), [])
        bound = [self._of.get(one.id, []) for one in (name, title)]
        return found if all(len(values) == len(found) for values in bound) else []

    def latest(self, node: ast.expr) -> ast.expr:
        """Return what a name was last bound to above the place where it is used, else the name."""
        above = [value for value in self._of.get(getattr(node, "id", ""), []) if value.lineno <= node.lineno]
        return max(above, key=lambda value: value.lineno, default=node)

    def texts(self, node: ast.expr, depth: int = 0) -> list[str]:
        """Return what an expression can be as text."""
        if isinstance(node, ast.Constant):
            return [str(node.value)]
        if isinstance(node, ast.JoinedStr):
            inside = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
            parts = [self.texts(part, depth) for part in inside]
            joined = ["".join(chosen) for chosen in product(*parts)]
            several = ["".join(part[0] if len(part) == 1 else "{value}" for part in parts)]
            return joined if len(joined) <= _MOST else several
        if isinstance(node, ast.IfExp):
            return list(dict.fromkeys(self.texts(node.body, depth) + self.texts(node.orelse, depth)))
        if isinstance(node, ast.Call):
            # A text that is made fit for a file's name.
            inside = [argument for argument in node.args if isinstance(argument, ast.JoinedStr)]
            return self.texts(inside[0], depth) if inside else ["{value}"]
        if isinstance(node, ast.Name) and node.id in self._of and depth < 4:
            found = [text for value in self._of[node.id] for text in self.texts(value, depth + 1)]
            # What a call makes is better said by the name that it gets.
            found = [text if text != "{value}" else f"{{{node.id}}}" for text in dict.fromkeys(found)]
            return found if len(found) <= _MOST else [f"{{{node.id}}}"]
        return [f"{{{node.id}}}" if isinstance(node, ast.Name) else "{value}"]
