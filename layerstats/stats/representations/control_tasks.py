"""Control tasks: labels that vectors cannot tell but by knowing every context by heart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns

CONTEXT = ("previous", "label", "following")


def control_labels(phones: pd.DataFrame, codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Give every context of a phone a level at random (Hewitt & Liang 2019, section 2), (phone,) codes.

    Levels are drawn with the frequencies that they have in `codes`, so that the task is as unequal as the true one. A
    probe that recognises speakers' unheard phones by it knows the contexts one by one.

    Parameters
    ----------
    phones
        ``previous, label, following``.
    codes
        (phone,) the true levels, whole numbers from 0 on.

    Raises
    ------
    DataError
        A column is missing.

    Examples
    --------
    >>> phones = pd.DataFrame({"previous": "#", "label": list("stst"), "following": list("aaaa")})
    >>> drawn = control_labels(phones, np.array([0, 1, 0, 1]), np.random.default_rng(0))
    >>> bool(drawn[0] == drawn[2] and drawn[1] == drawn[3])
    True
    """
    check_columns(phones, CONTEXT, "the phones of a control task")
    context = phones.loc[:, list(CONTEXT)].astype(str).agg("\t".join, axis=1)
    kind, kinds = pd.factorize(context, sort=True)
    return codes[generator.integers(len(codes), size=len(kinds))][kind]
