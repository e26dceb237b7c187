"""What goes wrong by a user's hand: every message names the thing, the place and the remedy."""


class DataError(ValueError):
    """The data cannot be used as they are; the message names column, series, row and remedy.

    Example:
        >>> raise DataError("column 'y' of series 'a' holds text at row 3; convert it with pd.to_numeric")
        Traceback (most recent call last):
        tsformers.errors.DataError: column 'y' of series 'a' holds text at row 3; convert it with pd.to_numeric
    """


class JobError(ValueError):
    """A recipe, a job file or a run's folder cannot be used as it is; the message names file, key and remedy.

    Example:
        >>> raise JobError("pipelines/mine.toml: models.lru.class is missing; write class = 'LRU'")
        Traceback (most recent call last):
        tsformers.errors.JobError: pipelines/mine.toml: models.lru.class is missing; write class = 'LRU'
    """


class TrainingInterrupted(UserWarning):
    """Ctrl-C ended a training early, and the model keeps what it had; jobs and commands stop instead.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("error", TrainingInterrupted)  # now Ctrl-C in fit is an exception again
        >>> warnings.resetwarnings()
    """
