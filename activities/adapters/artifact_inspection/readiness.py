"""What an inspection looks up at first use: it is looked up before the process may open no file any more."""

import codecs

_ENCODINGS = ("ascii", "cp437", "idna", "latin-1", "raw-unicode-escape", "unicode-escape", "utf-8")


def prepare() -> None:
    """Look it up now."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
