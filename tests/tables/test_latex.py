import re

import numpy as np
import pandas as pd
import pytest

from layerstats.tables import glossary
from layerstats.tables.format import print_table
from layerstats.tables.latex import escape_latex, latex_table
from layerstats.tables.paper import SIZES, TEXT_WIDTH, page_layout, paper_table, text_width

MANY_ROWS = 40

NASTY = '100% & $x$ _under_ #1 {a} ~ ^ \\n <b> |c| "q" [s]'


def test_every_special_character_is_escaped():
    assert escape_latex("a_b & 5% #1 $x$ {y}") == r"a\_b \& 5\% \#1 \$x\$ \{y\}"
    assert escape_latex("\\") == r"\textbackslash{}"
    assert escape_latex("~^") == r"\textasciitilde{}\textasciicircum{}"
    # In OT1, the encoding of LaTeX unless told otherwise, a bare < prints as an upside-down exclamation mark.
    assert escape_latex("< 0.0001") == "$<$ 0.0001"
    assert escape_latex("\N{MINUS SIGN}0.5") == "$-$0.5"
    assert escape_latex("[s]") == "{[}s{]}"


def test_an_escape_is_not_escaped_again():
    assert escape_latex("\\{") == r"\textbackslash{}\{"


def test_table_has_rules_headings_caption_and_label():
    text = latex_table(print_table(pd.DataFrame({"term": ["a_b"], "estimate": [-1.5]})), caption="50 %", label="w-x")
    assert text.splitlines() == [
        "% Needs the packages booktabs.",
        r"\begin{table}",
        r"\centering",
        r"\caption{50 \%}\label{tab:w-x}",
        r"\begingroup",
        r"\setlength{\tabcolsep}{6pt}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Term & Estimate \\",
        r"\midrule",
        r"a\_b & $-$1.5000 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par",
        r"\endgroup",
        r"\end{table}",
    ]


def test_long_tables_break_over_pages():
    frame = pd.DataFrame({"estimate": [0.5] * (MANY_ROWS + 1)})
    text = latex_table(print_table(frame), caption="c", label="l")
    assert r"\begin{longtable}" in text
    assert r"\begin{table}" not in text
    assert "longtable" in text.splitlines()[0]


def test_phonetic_letters_are_named_as_needing_another_latex():
    text = latex_table(print_table(pd.DataFrame({"phone": ["ʃ"]})), caption="c", label="l")
    assert "% Needs XeLaTeX or LuaLaTeX and a font with the characters ʃ." in text
    assert "XeLaTeX" not in latex_table(print_table(pd.DataFrame({"phone": ["é"]})), caption="c", label="l")


@pytest.mark.slow
@pytest.mark.parametrize("rows", [3, MANY_ROWS + 5])
def test_tables_compile(tmp_path, compile_latex, rows):
    frame = pd.DataFrame({"term": [NASTY] * rows, "estimate": [-1e-9] * rows, "p_value": [0.0] * rows})
    table = paper_table(frame, most_rows=rows - 1)
    (tmp_path / "table.tex").write_text(latex_table(table, caption=NASTY, label="a-b"), encoding="utf-8")
    assert compile_latex([tmp_path / "table.tex"]) == []


def wide_frame(rows, generator):
    """Every column that the glossary has, in an order drawn anew, with values as long as they come."""
    known = list(glossary().columns.values())
    chosen = [known[i] for i in generator.permutation(len(known))[: generator.integers(3, 30)]]
    texts = [
        "ciwGAN discriminator",
        "untrained_07",
        "s(time,speaker):wordwater",
        "x",
        "share with the word's code",
    ]
    return pd.DataFrame(
        {
            column.name: generator.uniform(-2000, 2000, rows) if column.numeric else generator.choice(texts, rows)
            for column in chosen
        }
    )


def test_columns_that_wrap_are_together_no_wider_than_the_page():
    # Widths with a fraction above one half, which would be rounded up.
    table = pd.DataFrame({f"column_{n}": [" ".join(["word"] * (11 + n)), "word"] for n in range(4)})
    shown = print_table(table)
    layout = page_layout(shown)
    written = [float(width) for width in re.findall(r"p\{([\d.]+)pt\}", latex_table(shown, caption="c", label="l"))]
    assert len(written) == 4
    assert written == list(layout.wrapped.values())
    assert sum(written) + 2 * layout.separation * len(written) <= TEXT_WIDTH


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-.,:;()[]/'"]
)
def test_no_size_of_type_is_wider_than_it_is_thought_to_be(tmp_path, compile_latex, text):
    """A table of one column, as wide as the page by what each size is thought to need, sets without complaint."""
    files = []
    for number, (size, factor, separation, _) in enumerate(SIZES):
        room = (TEXT_WIDTH - 2 * separation) / factor
        line = ""
        while text_width(longer := line + text[len(line) % len(text)]) <= room:
            line = longer
        begin = rf"\begingroup{size}\setlength{{\tabcolsep}}{{{separation:g}pt}}"
        files.append(tmp_path / f"t{number}.tex")
        files[-1].write_text(
            rf"{begin}\noindent\begin{{tabular}}{{l}}{escape_latex(line)}\\\end{{tabular}}\par\endgroup",
            encoding="utf-8",
        )
    assert compile_latex(files) == []


@pytest.mark.slow
def test_no_table_is_wider_than_the_page(tmp_path, compile_latex):
    generator = np.random.default_rng(5)
    files = []
    for number in range(60):
        table = paper_table(wide_frame(int(generator.integers(1, 60)), generator))
        files.append(tmp_path / f"t{number}.tex")
        files[-1].write_text(latex_table(table, caption="A table", label=f"t{number}"), encoding="utf-8")
    assert compile_latex(files) == []
