"""Scripts of `analyses/` as commands: `layerstats phones STORE` is `python analyses/phones.py STORE`."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from layerstats.cli.command_help import command_of
from layerstats.cli.lazy_group import first_line
from layerstats.cli.script import telling
from layerstats.resources import bundled

# Scripts that simulate to see how often tests err are no analyses of anyone's data.
_STUDY = "calibration"


@dataclass(frozen=True)
class Script:
    """A script whose `main` is a command."""

    path: Path

    def summary(self) -> str:
        """Return the question that it answers: the first line of its docstring."""
        return first_line(self.path.read_text(encoding="utf-8"))

    def load(self, name: str) -> Any:
        """Return the command; the script itself is imported when it is run."""
        main = declared_main(self.path)
        main.__doc__ = f"{self.summary()}\n\n{main.__doc__ or ''}"
        return command_of(name, telling(main, self._imported_main), made_in=[self.path])

    def _imported_main(self) -> Callable[..., object]:
        name = f"layerstats_analyses_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module.main


def scripts() -> dict[str, Script]:
    """Return the scripts that analyse something, by the name of their command."""
    return {name: script for name, script in _all_scripts().items() if not name.endswith(_STUDY)}


def studies() -> dict[str, Script]:
    """Return the scripts that simulate, by the name of their command."""
    found = {name: script for name, script in _all_scripts().items() if name.endswith(_STUDY)}
    return {name.removesuffix(f"-{_STUDY}").replace(_STUDY, "differences"): script for name, script in found.items()}


@cache
def _all_scripts() -> dict[str, Script]:
    return {path.stem.replace("_", "-"): Script(path) for path in sorted(bundled("analyses").glob("*.py"))}


def declared_main(path: Path) -> Callable[..., object]:
    """Return `main` of a script with its parameters and docstring, but nothing inside.

    Only what the parameters need is run: what a script computes with takes seconds to import, and a shell that
    completes a command does not wait for it.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    main.body = [ast.Expr(ast.Constant(ast.get_docstring(main) or "")), ast.Pass()]
    main.returns = None
    wanted = {node.id for node in ast.walk(main.args) if isinstance(node, ast.Name)}
    kept: list[ast.stmt] = [main]
    for node in reversed(tree.body):
        own = _bound(node)
        if own & wanted and node is not main:
            wanted |= {inside.id for inside in ast.walk(node) if isinstance(inside, ast.Name)}
            if isinstance(node, ast.Import | ast.ImportFrom):
                node.names = [name for name in node.names if (name.asname or name.name.partition(".")[0]) in wanted]
            kept.insert(0, node)
    names: dict[str, Any] = {"__name__": path.stem}
    code = ast.fix_missing_locations(ast.Module(kept, []))
    exec(compile(code, str(path), "exec", dont_inherit=True), names)
    return names["main"]


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {name.asname or name.name.partition(".")[0] for name in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
