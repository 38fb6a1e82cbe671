"""The main job on real data, told as it happens: `python -m examples.demo [--exit]`."""
