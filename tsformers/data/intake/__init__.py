"""Conversion of data frames: columns read and checked, rows packed on one grid."""
