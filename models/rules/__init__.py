"""The rules of the compiler, a family per module; the draft that they look at."""
