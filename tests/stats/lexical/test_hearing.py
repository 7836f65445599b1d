import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.lexical import heard

WORDS = np.array(["ask", "dark", "rag", "wash"])


def listening(values=(1.0, 3.0), codes=4, voices=30, slips=(0.4, 0.1), seed=0):
    """Each code is heard as its word but for slips, fewer with the larger value; two judges slip on their own."""
    rng = np.random.default_rng(seed)

    def says(code, slip):
        return rng.choice(WORDS) if rng.random() < slip else WORDS[code]

    rows = [
        (f"t{value}-{code}-{voice}", f"noise {voice:02}", str(code), value, judge, says(code, slip))
        for value, slip in zip(values, slips, strict=True)
        for code in range(codes)
        for voice in range(voices)
        for judge in ("classifier", "pocketsphinx")
    ]
    return pd.DataFrame(rows, columns=["token", "speaker", "code", "code_value", "judge", "response"])


def test_known_truth_is_found():
    """A token is heard as its code's word in 1 - 3/4 slips; both agree where neither slips, or by chance."""
    result = heard(listening(voices=200), draws=300)
    summary = result.summary.set_index(["code_value", "judge", "measure"])
    for value, slip in ((1.0, 0.4), (3.0, 0.1)):
        right = 1 - 0.75 * slip
        for judge in ("classifier", "pocketsphinx"):
            row = summary.loc[(value, judge, "consistency")]
            assert row["conf_low"] < right < row["conf_high"]
            assert row["p_value"] == 1 / 301
            assert row["chance"] < 0.35
        agreement = summary.loc[(value, "all judges", "agreement")]
        assert agreement["conf_low"] < right**2 + 3 * (slip / 4) ** 2 < agreement["conf_high"]
        assert np.isnan(agreement["chance"])
    assert result.codes.query("measure == 'consistency'").groupby("code")["response"].unique().str[0].tolist() == list(
        WORDS
    )
    higher = summary.xs("adjusted mutual information", level="measure")["estimate"]
    assert higher.loc[(3.0, "classifier")] > higher.loc[(1.0, "classifier")] + 0.2


def test_shares_are_counts():
    table = listening()
    result = heard(table, draws=20).shares.set_index(["code_value", "code", "judge", "response"])
    for place, row in result.iterrows():
        own = table[(table[["code_value", "code", "judge"]] == list(place[:3])).all(axis=1)]
        assert row["tokens"] == (own["response"] == place[3]).sum()
        assert row["share"] == row["tokens"] / len(own)
    assert (result.groupby(level=[0, 1, 2])["share"].sum() - 1).abs().max() < 1e-12


def test_what_is_heard_of_the_noise_is_chance():
    """Every noise vector sounds like one word, whatever the code."""
    table = listening(values=(1.0,), slips=(0.0,))
    table = table.assign(response=WORDS[table["speaker"].str[-2:].astype(int) % 4])
    summary = heard(table, draws=50).summary.set_index(["judge", "measure"])
    assert (summary["p_value"].dropna() == 1).all()
    assert summary.loc[("all judges", "agreement"), "estimate"] == 1


def test_recorded_words_are_the_ceiling():
    real = listening(values=(1.0,), slips=(0.2,), voices=50)
    real = real.assign(word=WORDS[real["code"].astype(int)]).drop(columns=["code", "code_value"])
    summary = heard(listening(), real, draws=50).summary
    rows = summary[summary["measure"].str.contains("recorded")].set_index("judge")
    for judge in ("classifier", "pocketsphinx"):
        own = real[real["judge"] == judge]
        assert rows.loc[judge, "estimate"] == pytest.approx((own["response"] == own["word"]).mean())
    assert rows["code_value"].isna().all()
    assert rows.loc["all judges", "measure"] == "agreement on recorded words"


def test_one_judge_has_no_agreement():
    table = listening()
    alone = heard(table[table["judge"] == "classifier"], draws=10)
    assert set(alone.codes["measure"]) == {"consistency"}
    together = heard(table, draws=10)
    pd.testing.assert_frame_equal(alone.shares, together.shares.query("judge == 'classifier'").reset_index(drop=True))


def test_bad_input_is_refused():
    table = listening()
    cases = [
        (table[table["code"] == "0"], "one code only, '0'"),
        (table[table["speaker"] == "noise 00"], "one noise vector only"),
        (table[1:], "heard once by every judge"),
        (pd.concat([table, table[:1]]), "several responses to the token"),
        (table[:0], "Nothing was heard"),
        (table.drop(columns="response"), "Column 'response'"),
        (table.assign(code=table["code"].where(table.index > 2)), "column 'code'"),
    ]
    for frame, message in cases:
        with pytest.raises(DataError, match=message):
            heard(frame, draws=5)
    with pytest.raises(DataError, match="reference has one speaker"):
        heard(table, table.assign(word="ask", speaker="x"), draws=5)
