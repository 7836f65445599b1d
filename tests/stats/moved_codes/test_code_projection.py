import numpy as np
import pytest
from sklearn.decomposition import PCA

from layerstats.errors import ArgumentError
from layerstats.stats import project_codes, read_moved_codes


def test_the_plane_is_that_of_scikit_learns_pca(outcomes):
    moved = read_moved_codes(*outcomes())
    found = project_codes(moved)
    codes = np.concatenate([moved.before, moved.after])
    reference = PCA(2, svd_solver="full").fit(codes)
    places = reference.transform(codes)
    for number, axis in enumerate(("axis_1", "axis_2")):
        assert np.abs(found.points[axis].to_numpy()) == pytest.approx(np.abs(places[:, number]))
    assert found.explained == pytest.approx(reference.explained_variance_ratio_)
    assert found.points["moment"].tolist() == ["before"] * 24 + ["after"] * 24


def test_tsne_has_its_seed_and_is_the_same_again(outcomes):
    moved = read_moved_codes(*outcomes())
    one, again = (project_codes(moved, "tsne", perplexity=5, seed=3) for _ in range(2))
    assert one.points.equals(again.points)
    assert "seed 3" in one.notes[0]
    assert np.isfinite(one.points[["axis_1", "axis_2"]].to_numpy()).all()


def test_what_makes_no_plane_is_refused(outcomes):
    moved = read_moved_codes(*outcomes())
    with pytest.raises(ArgumentError, match="less than the number of codes, 48"):
        project_codes(moved, "tsne", perplexity=48)
    with pytest.raises(ArgumentError, match="projection"):
        project_codes(moved, "umap")
    with pytest.raises(ArgumentError, match="three starts"):
        project_codes(moved.subset(np.arange(24) < 2))
