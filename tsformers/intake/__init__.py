"""The door: columns read and checked, frequencies inferred, rows packed on one grid."""
