"""Nothing but the functions of a list reaches R from a formula."""

import pytest

from layerstats.errors import FormulaError
from layerstats.stats.gamm.formula.functions import check_formula_code

ALLOWED = [
    "y ~ word * sex + s(time, by = word, k = 5) + s(time, traj, bs = 'fs', m = 1)",
    "log(y, base = 2) ~ factor(word) + te(x, z, k = c(5, 4), xt = list(bs = 'cr')) - 1",
    "y ~ C(word, contr.sum) + C(sex, contr = 'contr.helmert', how.many = 1) + s(x, pc = 0)",
    "y ~ (x > 0.5) + dose %in% word + splines::ns(x, 3) + mgcv::s(t) + stats::poly(x, 2, raw = T)",
    "y ~ `a column (of mine)` + `system`",
    "cbind(a, b) ~ offset(log(n)) + I(x %% 2 == 0 & !z)  # system('ls')",
]
REFUSED = [
    "y ~ system('ls')",
    "y ~ s(x, k = system('ls'))",
    "system('ls') ~ x",
    "y ~ `system`('ls')",
    "y ~ 'system'('ls')",
    "y ~ (system)('ls')",
    "y ~ base::system('ls')",
    "y ~ base:::system('ls')",
    "y ~ utils::head(x)",
    "y ~ (function(x) x)(x)",
    "y ~ I({x})",
    "y ~ x$y",
    "y ~ x[1]",
    "y ~ x@y",
    "y ~ I(x <- 1)",
    "y ~ (x = 1)",
    "y ~ I(1 -> x)",
    "y ~ I(x <<- 1)",
    "y ~ if (x) y",
    "y ~ C(word, 'q')",
    "y ~ C(word, system)",
    "y ~ C(word, contr = quit)",
    "y ~ sapply(x, c)",
    "y ~ eval(parse(text = 'x'))",
    "y ~ x |> system()",
    "y ~ r'(x)'",
    "y ~ x; system('ls')",
    "y ~ \\(x) x",
    "y ~ x %do% y",
    "y ~ get('x')",
    "y ~ do.call('system', list('ls'))",
    "y ~ rnorm(10)",
]


@pytest.mark.parametrize("text", ALLOWED)
def test_functions_of_the_list(text):
    check_formula_code(text)


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused(text):
    with pytest.raises(FormulaError):
        check_formula_code(text)
