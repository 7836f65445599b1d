"""FILE.py:FUNCTION is read as Python reads a script, and what goes wrong in it is one line."""

import sys

import pytest

from layerstats.cli.network_file import load_network
from layerstats.errors import ArgumentError, MissingFileError

NETWORK = "import torch\nclass Net(torch.nn.Module):\n    pass\n"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file; the path and the modules are as before at the end."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    yield write
    # Theirs only: libraries that were imported meanwhile cannot be imported twice.
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_dataclass_with_postponed_annotations(written):
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + NETWORK
    text += "@dataclass\nclass Config:\n    width: int = 4\ndef build(): return Net()\n"
    network, card = load_network(written("with_dataclass.py", text) + ":build")
    assert (type(network).__name__, card) == ("Net", None)


def test_imports_of_files_beside_it_at_any_time(written):
    written("helper_at_first.py", NETWORK)
    written("helper_later.py", "width = 3\n")
    written("helper_in_forward.py", "height = 5\n")
    text = (
        "from helper_at_first import Net\n"
        "class Late(Net):\n"
        "    def forward(self, x):\n        import helper_in_forward\n        return helper_in_forward.height\n"
        "def build():\n    import helper_later\n    network = Late()\n    network.width = helper_later.width\n"
        "    return network\n"
    )
    network, _ = load_network(written("uses_helpers.py", text) + ":build")
    assert (network.width, network(None)) == (3, 5)


def test_a_file_named_like_a_library_does_not_replace_it(written):
    import json

    load_network(written("json.py", NETWORK) + ":Net")
    assert sys.modules["json"] is json
    # The folder is last on the path now: nothing there hides a library.
    assert sys.path[0] != str(written("colorsys.py", ""))


def test_an_edited_file_is_read_anew(written):
    for width in (1, 2):
        text = NETWORK + f"def build():\n    network = Net()\n    network.width = {width}\n    return network\n"
        assert load_network(written("edited.py", text + "#" * width) + ":build")[0].width == width


def test_a_module_itself_and_a_class_will_do(written):
    file = written("ready.py", NETWORK + "network = Net()\n")
    assert type(load_network(f"{file}:network")[0]).__name__ == "Net"
    assert type(load_network(f"{file}:Net")[0]).__name__ == "Net"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit(3)\n", r"sys\.exit\(3\) when it was run.*__main__"),
        ("import sys\ndef build(): sys.exit('usage')\n", r"sys\.exit\('usage'\) when build\(\) was run"),
        ("import no_such_module_at_all\n", r"line 1\): ModuleNotFoundError: No module named 'no_such"),
        ("def build(:\n", "SyntaxError"),
        ("def build(width): pass\n", "TypeError: .*missing 1 required positional argument: 'width'"),
        ("def build():\n    return {}['weights']\n", r"build\(\) was run \(line 2\): KeyError: 'weights'"),
        ("build = 3\n", "is a int, not a function"),
        ("def build(): return None\n", "returned NoneType"),
    ],
    ids=["exit", "exit-later", "import", "syntax", "argument", "key", "number", "nothing"],
)
def test_what_goes_wrong_in_the_file_is_one_line(written, text, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        load_network(written("broken_network.py", text) + ":build")
    assert "\n" not in str(caught.value)


def test_a_typo_in_a_checkpoints_name(written, tmp_path):
    written("words.safetensors", "")
    with pytest.raises(MissingFileError, match=r"no checkpoint at .*wrods\.safetensors\. Did you mean words\.saf"):
        load_network(str(tmp_path / "wrods.safetensors"))


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        ("class E(BaseException): pass\n", "E: odd"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\n", "E: <exception str"),
    ],
)
def test_exceptions_of_any_kind_are_a_line(written, raised, reason):
    file = written("odd_exception.py", f"{raised}def build(): raise E('odd')\n")
    with pytest.raises(ArgumentError, match=rf"odd_exception\.py failed when build\(\) was run.*{reason}"):
        load_network(f"{file}:build")


def test_a_file_that_reads_the_command_line_finds_none_of_ours(written, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["layerstats", "record", "network.py:build", "s.zarr"])
    text = NETWORK + (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--width', type=int, default=7)\n"
        "options = parser.parse_args()\n"
        "def build():\n    network = Net()\n    network.width = options.width\n    return network\n"
    )
    network, _ = load_network(written("with_arguments.py", text) + ":build")
    assert network.width == 7
    assert sys.argv[0] == "layerstats"
