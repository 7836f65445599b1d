"""What keeps the package readable: names that mean one thing, short modules and functions, docstrings that say it."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "layerstats"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
CLASSES = [(name, node) for name, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
FUNCTIONS = [
    (name, node) for name, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
]

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
# Modules of statistics with one name that do the same for different things.
SAME_NAME = {
    "curves": "curves of the groups of a contrast, and of the levels of any model",
}


def twice(named: list[tuple[str, str]]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def body_lines(function: ast.FunctionDef) -> int:
    """Count lines below the signature and the docstring; functions inside are counted by themselves."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    inside = [node for node in body if isinstance(node, ast.FunctionDef)]
    within = sum(node.end_lineno - node.lineno + 1 for node in inside)
    return function.end_lineno - body[0].lineno + 1 - within if body else 0


def test_the_package_was_found():
    assert len(FILES) > 300
    assert len(CLASSES) > 100
    assert len(FUNCTIONS) > 1000


def test_no_two_modules_of_statistics_have_one_name():
    modules = [(Path(name).stem, name) for name in TREES if name.startswith("stats/") and "__init__" not in name]
    found = twice(modules)
    assert found.keys() == SAME_NAME.keys(), (
        f"{found}: name each after what it is about, or say in SAME_NAME why one name means one thing."
    )


def test_no_two_public_classes_have_one_name():
    public = [(node.name, name) for name, node in CLASSES if not node.name.startswith("_")]
    assert twice(public) == {}


def test_no_two_test_files_have_one_name():
    tests = Path(__file__).resolve().parent
    assert twice([(file.name, str(file.relative_to(tests))) for file in tests.rglob("test_*.py")]) == {}


def test_modules_are_read_at_a_sitting():
    lines = {name: (PACKAGE / name).read_text(encoding="utf-8").count("\n") for name in TREES}
    assert {name: number for name, number in lines.items() if number > MOST_LINES} == {}


def test_functions_do_one_thing():
    long = [f"{name}:{node.lineno} {node.name} has {body_lines(node)}" for name, node in FUNCTIONS
            if body_lines(node) > MOST_LINES_OF_A_FUNCTION]  # fmt: skip
    assert long == []


def test_docstrings_say_more_than_a_word():
    documented = [*CLASSES, *FUNCTIONS, *TREES.items()]
    texts = [(name, ast.get_docstring(node)) for name, node in documented]
    assert [f"{name}: {text!r}" for name, text in texts if text is not None and len(text.split()) < 2] == []


def test_every_room_is_on_the_page_and_in_the_picture_of_the_architecture():
    docs = PACKAGE.parent / "docs"
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    page = (docs / "architecture.md").read_text(encoding="utf-8")
    picture = (docs / "pictures" / "architecture.svg").read_text(encoding="utf-8")
    assert {room for room in rooms if f"| `{room}/`" not in page} == set()
    assert {room for room in rooms if f">{room}<" not in picture} == set()
