"""What makes a class of ours a clusterer for scikit-learn."""

from typing import Any

from sklearn.base import BaseEstimator

CLUSTERER = "clusterer"  # scikit-learn before 1.6 reads it from the class


def clusterer_tags(self: Any) -> Any:
    """The tags of an estimator that clusters, so that ``sklearn.base.is_clusterer`` holds.

    Returns:
        Tags of scikit-learn.
    """
    tags: Any = BaseEstimator.__sklearn_tags__(self)
    tags.estimator_type = CLUSTERER
    return tags
