import pandas as pd
import pytest

from layerstats.tables import check_frame


@pytest.mark.realdata
@pytest.mark.slow
def test_published_values_stand_beside_those_of_one_subject_a_listener(make, real_data, tmp_path):
    names = make("metamers", tmp_path, real_data("ratings", "metamers_feather2023", "experiment_1.csv"))
    assert names == {"anova", "means", "means_figure", "differences", "differences_figure", "agreement", "claims"}
    user_columns = ("model", "analysis", "stage", "observer")
    anova = check_frame(pd.read_csv(tmp_path / "anova.csv"), "repeated_anova", user_columns=user_columns)
    table = anova.set_index(["model", "analysis", "term"])
    assert f"{table.loc[('kell2018', 'published', 'observer:stage'), 'statistic']:.4f}" == "189.1697"
    assert table.loc[("kell2018", "one subject", "observer:stage"), "df_residual"] == 171
    differences = check_frame(pd.read_csv(tmp_path / "differences.csv"), user_columns=user_columns)
    assert len(differences) == 19
    assert (differences["level_1"] == "Human").all()
    assert (differences["diff"] < 0).all()
    agreement = check_frame(pd.read_csv(tmp_path / "agreement.csv"), user_columns=user_columns).set_index("model")
    # A network recognises its own metamers of every stage, people those of early stages only.
    assert (agreement["p_adjusted"] > 0.05).all()
    assert (agreement["estimate"].abs() < 0.3).all()
