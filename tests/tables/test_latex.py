import shutil
import subprocess

import pandas as pd
import pytest

from layerstats.tables.format import print_table
from layerstats.tables.latex import ROWS_OF_A_PAGE, escape_latex, latex_table

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
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Term & Estimate \\",
        r"\midrule",
        r"a\_b & $-$1.5000 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_long_tables_break_over_pages():
    frame = pd.DataFrame({"estimate": [0.5] * (ROWS_OF_A_PAGE + 1)})
    text = latex_table(print_table(frame), caption="c", label="l")
    assert r"\begin{longtable}" in text
    assert r"\begin{table}" not in text
    assert "longtable" in text.splitlines()[0]


def test_phonetic_letters_are_named_as_needing_another_latex():
    text = latex_table(print_table(pd.DataFrame({"phone": ["ʃ"]})), caption="c", label="l")
    assert "% Needs XeLaTeX or LuaLaTeX and a font with the characters ʃ." in text
    assert "XeLaTeX" not in latex_table(print_table(pd.DataFrame({"phone": ["é"]})), caption="c", label="l")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("rows", [3, ROWS_OF_A_PAGE + 5])
def test_tables_compile(tmp_path, rows):
    frame = pd.DataFrame({"term": [NASTY] * rows, "estimate": [-1e-9] * rows, "p_value": [0.0] * rows})
    table = print_table(frame, most_rows=rows - 1)
    (tmp_path / "table.tex").write_text(latex_table(table, caption=NASTY, label="a-b"), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs,longtable}\begin{document}\input{table}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout[-2000:]
