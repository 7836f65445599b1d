"""The functions of R that a formula may call: any other call would run a stranger's code where R evaluates it."""

from __future__ import annotations

from layerstats.stats.gamm.formula.tokens import Token, formula_error, tokenize


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SMOOTHS = _names("s te ti t2")

# Of each row by itself.
ROW_FUNCTIONS = _names(
    """
    I abs sqrt exp expm1 log log2 log10 log1p logb sin cos tan asin acos atan sinh cosh tanh sinpi cospi tanpi atan2
    asinh acosh atanh plogis qlogis pnorm qnorm dnorm gamma lgamma beta lbeta choose factorial round signif floor
    ceiling trunc sign pmin pmax ifelse is.na xor is.element match findInterval
    as.numeric as.integer as.double as.logical as.character as.vector
    paste paste0 substr substring nchar toupper tolower startsWith endsWith
    offset c list seq seq_len rep cbind C
    """
)
# Of all rows, and so to be frozen at the fit.
SUMMARIES = _names("mean sd var median min max range sum prod length quantile IQR mad nlevels levels")
# Of all rows too: R's `makepredictcall` freezes them.
FROZEN_BY_R = _names("scale poly ns bs")
FACTORS = _names("factor as.factor ordered as.ordered interaction droplevels relevel cut addNA")
CONTRASTS = _names("contr.treatment contr.sum contr.helmert contr.poly contr.SAS")

FORMULA_FUNCTIONS = SMOOTHS | ROW_FUNCTIONS | SUMMARIES | FROZEN_BY_R | FACTORS | CONTRASTS

# What may stand before `::`, and the functions that it may name.
PACKAGES = {
    "mgcv": SMOOTHS,
    "splines": _names("ns bs"),
    "base": ROW_FUNCTIONS | SUMMARIES | FACTORS | {"scale"},
    "stats": ROW_FUNCTIONS | SUMMARIES | FACTORS | CONTRASTS | {"poly"},
}
OPERATORS = _names("%in% %% %/%")

_CONTROL = _names("function if else for while repeat next break in")
_FORBIDDEN = {
    "<-": "A formula assigns nothing",
    "{": "A formula holds no blocks of code",
    "}": "A formula holds no blocks of code",
    "[": "Columns cannot be subset inside a formula. Make a column of it first",
    "]": "Columns cannot be subset inside a formula. Make a column of it first",
    "$": "A formula names columns, not parts of objects: write the column alone",
    "@": "A formula names columns, not parts of objects: write the column alone",
}


def check_formula_code(text: str) -> None:
    """Refuse `text`, R code of a formula, where it calls anything but the functions of `FORMULA_FUNCTIONS`.

    Raises
    ------
    FormulaError
        With the place, and what may be called.

    Examples
    --------
    >>> check_formula_code("y ~ s(log(t), by = word) + scale(age)")
    >>> check_formula_code("y ~ x + system('ls')")
    Traceback (most recent call last):
    layerstats.errors.FormulaError: system() is not a function that a formula may call here. Make a column of it first:
      y ~ x + system('ls')
              ^
    """
    _CodeCheck(text).run()


class _CodeCheck:
    """One pass over the tokens, with the calls that are open."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        # Of each open parenthesis: the function, or None, and how many commas were seen.
        self.open: list[tuple[str | None, int]] = []

    def run(self) -> None:
        for place, token in enumerate(self.tokens):
            before = self.tokens[place - 1] if place else Token("operator", "", 0)
            if token.kind == "operator":
                self._operator(place, token, before)
            elif token.kind in ("name", "string", "number"):
                self._word(place, token, before)

    def _refuse(self, token: Token, problem: str) -> None:
        formula_error(self.text, token.position, f"{problem}:")

    def _operator(self, place: int, token: Token, before: Token) -> None:
        text = token.text
        if text in _FORBIDDEN:
            self._refuse(token, _FORBIDDEN[text])
        if text.startswith("%") and text not in OPERATORS:
            self._refuse(token, f"The operator {text} is not one that a formula may use here")
        if text == ">" and before.text in ("-", "|") and before.position == token.position - 1:
            self._refuse(token, f"A formula has no {before.text}>")
        if text == "::":
            self._package(place, token, before)
        elif text == "(":
            self._opened(token, before)
        elif text == ")" and self.open:
            self.open.pop()
        elif text == "," and self.open:
            function, commas = self.open[-1]
            self.open[-1] = (function, commas + 1)
        elif text == "=":
            beside = self.tokens[place - 2].text if place > 1 else ""
            if not (self.open and self.open[-1][0] and before.kind == "name" and beside in ("(", ",")):
                self._refuse(token, "A formula assigns nothing: '=' gives an argument of a function its value")

    def _opened(self, token: Token, before: Token) -> None:
        if before.kind == "name":
            if before.text not in FORMULA_FUNCTIONS:
                problem = f"{before.text}() is not a function that a formula may call here. Make a column of it first"
                self._refuse(before, problem)
            self.open.append((before.text, 0))
            return
        if before.kind in ("string", "number") or before.text == ")":
            self._refuse(token, "Only functions that are called by name may stand in a formula")
        self.open.append((None, 0))

    def _package(self, place: int, token: Token, before: Token) -> None:
        following = self.tokens[place + 1]
        allowed = PACKAGES.get(before.text, frozenset()) if before.kind == "name" else frozenset()
        if following.kind != "name" or following.text not in allowed:
            self._refuse(token, f"{before.text}::{following.text} is not a function that a formula may call here")

    def _word(self, place: int, token: Token, before: Token) -> None:
        if before.kind in ("name", "string", "number"):
            self._refuse(token, f"Expected an operator before {token.text!r}")
        if token.kind == "name" and not token.quoted and token.text in _CONTROL:
            self._refuse(token, f"{token.text!r} is no part of a formula's language")
        function, commas = self.open[-1] if self.open else (None, 0)
        # R calls whatever function C() is given, by its name or as a string.
        named = self.tokens[place + 1].text in ("=", "::")
        if function == "C" and commas and token.kind != "number" and not named and _plain(token) not in CONTRASTS:
            self._refuse(token, f"C() takes one of {', '.join(sorted(CONTRASTS))} here")


def _plain(token: Token) -> str:
    return token.text[1:-1] if token.kind == "string" else token.text
