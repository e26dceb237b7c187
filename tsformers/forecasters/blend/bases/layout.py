"""Names and order of the base forecasts and of the features of a series."""

BASES = (
    "last",
    "last_season",
    "mean_of_4_seasons",
    "median_of_3_seasons",
    "season_growth",
    "ses_slow",
    "ses",
    "ses_fast",
    "holt_damped",
    "holt",
    "theta",
    "mean_reversion",
    "ses_multiplicative",
    "holt_damped_multiplicative",
    "dynamic_theta",
    "level_shape",
    "second_last_season",
    "second_season",
    "linear",
)
CENTRE = BASES.index("ses")  # forecasts of a base that is not available are this one's
DYNAMIC = BASES.index("dynamic_theta")  # from here on bases may be unavailable
LEVEL_SHAPE = BASES.index("level_shape")
SECOND = BASES.index("second_last_season")
GATED = BASES[DYNAMIC:]
SHAPES = (
    "scale",  # log of the scale by the mean size of a value
    "step_size",  # log of the mean absolute change by the scale
    "correlation_1",  # of a value with the one before
    "correlation_season",
    "change_correlation_1",
    "change_correlation_season",
    "adjusted_correlation_1",  # of seasonally adjusted values
    "season_size",  # log of the standard deviation of the seasonal indices by the scale
    "adjusted_size",  # log of the standard deviation of the seasonally adjusted values by the scale
    "share_not_positive",
    "share_whole",
    "share_unchanged",
    "all_positive",
    "recent_step_size",  # log of the mean absolute change of the last quarter by that of all
    "largest_steps",  # log of the 95 % quantile of absolute changes by their mean
    "last_against_season",
    "last_quarter_against_first",
    "log_rows",
    "log_season",
    "seasons",  # rows by the season
    "log_horizon",
    "share_missing",
    "season_strength",
    "second_strength",
    "gap_between_nonzero",  # log of the mean
)
FEATURES = (
    *(f"{name}_size_{origin}" for origin in (1, 2) for name in BASES),
    *(f"{name}_bias_{origin}" for origin in (1, 2) for name in BASES),
    *(f"room_{origin}" for origin in (1, 2)),
    *(f"{name}_known_{origin}" for origin in (1, 2) for name in GATED),
    *(f"{name}_available" for name in GATED),
    *SHAPES,
)
