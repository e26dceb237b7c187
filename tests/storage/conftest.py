"""Models that the tests of storage save."""

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

import tsformers.storage.folder as storage


class Mine(BaseEstimator):
    """A model without ``learned``: its attributes that end in one underscore are its learned state."""

    def __init__(self, horizon=4, inner=None):
        self.horizon = horizon
        self.inner = inner

    save = storage.save


class Keeper(BaseEstimator):
    """A model that returns its learned state itself."""

    def __init__(self, horizon=4):
        self.horizon = horizon

    def learned(self):
        if not hasattr(self, "_weights"):
            raise NotFittedError("not fitted")
        return {"weights": self._weights}

    def relearn(self, learned):
        self._weights = learned["weights"]


OWN = {"Mine": Mine, "Keeper": Keeper}
