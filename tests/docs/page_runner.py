"""Do what a page of the documentation says, in order and in an empty folder, and compare what comes out with the page.

- Code in fences of `sh`, `python` and `r` is run; each language has one session a page, as whoever reads along has.
- Python that begins with the name of a file, as in `# my_network.py`, is saved under it.
- `sh not-run` marks what cannot be run here, with a reason in the text beside it.
- A fence of `text` is what the code above it prints; "..." stands for anything, and numbers agree to their last digit.
- A picture at `shown/PAGE/PATH` is the file PATH that the page's code has written. One with a title, which says why,
  need only be as large.

Pages keep what their code prints and draws, so that they are read in the repository as on the site, which runs nothing.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageChops, PngImagePlugin

FENCE = re.compile(r"^```(\w+)( not-run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[([^]]*)\]\((shown/[\w-]+/([^)]+\.png))(?: \"([^\"]*)\")?\)")
NAMED = re.compile(r"^# ([\w/-]+\.py)\n")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+(?:e[-+]?\d+)?")
TOKEN = re.compile(rf"{NUMBER.pattern}|\w+?(?=-?\d|\b)|[^\w\s]")
LANGUAGES = ("sh", "python", "r")
WIDTH = 1000  # pixels of a picture on a page
COLOURS = 96
SQUARE, TOLERANCE = (
    8,
    36,
)  # as in tests/plots/test_baselines.py: of 255, of the mean colour of a square of so many pixels

# A loop that takes a length and a program of that length: Python's own prompt stops at blank lines of a function.
PYTHON = """
import ast, sys
space = {"__name__": "__main__"}
for line in sys.stdin:
    block = ast.parse(sys.stdin.read(int(line)))
    last = block.body.pop() if isinstance(block.body[-1], ast.Expr) else None
    exec(compile(block, "page", "exec"), space)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "page", "eval"), space)
        if value is not None:
            print(value)
    print("{mark}", flush=True)
"""


@dataclass(frozen=True)
class Block:
    """One fence that is run: its language, its line of the page, and the text that the page shows below it."""

    language: str
    code: str
    line: int
    shown: str | None = None
    span: tuple[int, int] | None = None  # of the shown text in the page


def blocks(page: str) -> list[Block]:
    found: list[Block] = []
    for fence in FENCE.finditer(page):
        language, not_run, body = fence.groups()
        if language in LANGUAGES and not not_run:
            found.append(Block(language, body, page[: fence.start()].count("\n") + 1))
        elif language == "text" and found:
            if found[-1].shown is not None:
                raise ValueError(f"line {found[-1].line}: code has one fence of text below it")
            found[-1] = replace(found[-1], shown=body, span=fence.span(3))
    return found


class Session:
    """One interpreter in a folder, which is told one block after another."""

    def __init__(self, language: str, folder: Path, environment: dict[str, str]) -> None:
        self.language, self.mark = language, f"end-of-block-{os.getpid()}"
        commands = {
            "sh": ["bash", "--noprofile", "--norc", "-e"],
            "python": [sys.executable, "-c", PYTHON.replace("{mark}", self.mark)],
            "r": ["R", "--no-save", "--no-restore", "--no-echo"],
        }
        self.process = subprocess.Popen(
            commands[language],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def tell(self, code: str) -> str:
        """Return what is printed; raises with it where the code fails."""
        told = {
            "sh": f"{{\n{code}\n}} < /dev/null 2>&1\necho {self.mark}\n",
            "python": f"{len(code)}\n{code}",
            "r": f'{code}\ncat("{self.mark}\\n")\n',
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(told[self.language])
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip() == self.mark:
                return "".join(lines)
            lines.append(line)
        raise RuntimeError(f"it failed:\n{code}\n{''.join(lines)}")

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)  # with what was left running in the background
        self.process.communicate()


@dataclass(frozen=True)
class Run:
    """What the blocks of a page have printed, and how much of a processor they took."""

    printed: list[str]
    cpu_s: float


def run_page(page: str, folder: Path, environment: dict[str, str]) -> Run:
    """Run all blocks of a page in a folder."""
    before = os.times()
    sessions: dict[str, Session] = {}
    printed = []
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**environment, "TMPDIR": temporary}
        try:
            for block in blocks(page):
                named = NAMED.match(block.code) if block.language == "python" else None
                if named:
                    (folder / named[1]).write_text(block.code, encoding="utf-8")
                    printed.append("")
                    continue
                if block.language not in sessions:
                    sessions[block.language] = Session(block.language, folder, environment)
                try:
                    printed.append(sessions[block.language].tell(block.code))
                except (RuntimeError, BrokenPipeError) as error:
                    raise AssertionError(f"line {block.line}: {error}") from error
        finally:
            for session in sessions.values():
                session.close()
    after = os.times()
    return Run(printed, after.children_user + after.children_system - before.children_user - before.children_system)


def same_token(shown: str, found: str) -> bool:
    """Numbers with decimals agree to one in the last digit that is shown, or to 1 %; all else is the same."""
    if shown == found:
        return True
    if not (NUMBER.fullmatch(shown) and NUMBER.fullmatch(found) and ("." in shown or "e" in shown)):
        return False
    mantissa, _, exponent = shown.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(shown) - float(found)) <= max(1.01 * last, 0.01 * abs(float(shown)))


def agrees(shown: str, found: str) -> bool:
    """Whether what is printed is what is shown, in which "..." stands for anything."""
    parts = [TOKEN.findall(part) for part in shown.split("...")]
    tokens = TOKEN.findall(found)

    def at(part: list[str], place: int) -> bool:
        return place + len(part) <= len(tokens) and all(map(same_token, part, tokens[place:]))

    if len(parts) == 1:
        return len(parts[0]) == len(tokens) and at(parts[0], 0)
    if not at(parts[0], 0):
        return False
    place = len(parts[0])
    for part in parts[1:-1]:
        place = next((start for start in range(place, len(tokens)) if at(part, start)), len(tokens) + 1) + len(part)
    end = len(tokens) - len(parts[-1])
    return place <= end and at(parts[-1], end)


def disagreements(page: str, run: Run) -> list[str]:
    """Name every block whose text on the page is not what came out."""
    return [
        f"line {block.line} prints\n{found}\nwhere the page shows\n{block.shown}"
        for block, found in zip(blocks(page), run.printed, strict=True)
        if block.shown is not None and not agrees(block.shown, found)
    ]


def with_output(page: str, run: Run) -> str:
    """Return the page with what came out in place of every text that disagrees."""
    for block, found in reversed(list(zip(blocks(page), run.printed, strict=True))):
        if block.span is not None and not agrees(block.shown or "", found):
            page = page[: block.span[0]] + found.rstrip() + "\n" + page[block.span[1] :]
    return page


def pictures(page: str) -> list[tuple[str, str, str, str]]:
    """Return of each picture that the page makes what it is said to show, its file, where it is made, and its title."""
    return PICTURE.findall(page)


def on_a_page(file: Path) -> Image.Image:
    """Read a figure as it is shown: no wider than a page."""
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    return picture


def keep_picture(made: Path, file: Path, drawn_by: str) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", drawn_by)
    file.parent.mkdir(parents=True, exist_ok=True)
    on_a_page(made).quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True, pnginfo=about)


def drawer_of(file: Path) -> str:
    """Return which versions drew the picture of a page."""
    with Image.open(file) as opened:
        return opened.info["Software"]


def looks_different(made: Path, file: Path, title: str = "") -> str:
    """Return in what the figure that was made differs from the one of the page, "" where it does not."""
    first, second = on_a_page(made), on_a_page(file)
    if first.size != second.size:
        return f"{file.name} is {second.size} pixels on the page, and {first.size} came out"
    if title:
        return ""
    found = max(high for _, high in ImageChops.difference(first.reduce(SQUARE), second.reduce(SQUARE)).getextrema())
    return f"{file.name} differs by {found} of 255 in a square of {SQUARE} pixels" if found > TOLERANCE else ""
