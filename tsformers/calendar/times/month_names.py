"""English names of months and weekdays, and the strptime code that reads each."""

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_WORDS = {**dict.fromkeys(MONTHS, "%B"), **{name[:3]: "%b" for name in MONTHS}}  # "may" is both: %b reads it
WEEKDAY_WORDS = {**dict.fromkeys(WEEKDAYS, "%A"), **{name[:3]: "%a" for name in WEEKDAYS}}
