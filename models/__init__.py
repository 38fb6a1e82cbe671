"""The language: types and pure rules. No I/O, no clock, no randomness."""
