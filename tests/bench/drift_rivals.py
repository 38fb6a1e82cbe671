"""Other libraries for drift, each in an environment of its own made by uv, asked about the same windows.

Versions are those that can be imported: what a library forgets to ask for, or to keep out, is named beside it. None of
them is shipped or used by us; who runs the bench installs them. alibi-detect is under the Business Source License 1.1,
which grants use that is not production, as this is.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).parents[2] / ".bench"
PACKAGES = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),  # it imports a name that pandas 3 has no more
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pyarrow"),  # it imports statsmodels, and does not ask for it
    "alibi-detect": ("alibi-detect==0.13.0", "pyarrow<22"),  # it asks for numpy 1, with which no newer pyarrow runs
    "river": ("river==0.26.1", "pandas<3", "pyarrow"),
}

_FRAME = """
import importlib.metadata, json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
reference, window, numbers, categories = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
def now():
    return time.perf_counter(), time.process_time()
def told(name, figures, began):
    (wall, cpu), peak = now(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    took = {"seconds": wall - began[0], "cpu": cpu - began[1], "window": cpu - began[1], "peak": peak}
    print(json.dumps({"figures": figures, "version": importlib.metadata.version(name), **took}))
"""
_EVIDENTLY = """
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
began = now()
shape = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
old, new = (Dataset.from_pandas(pd.read_parquet(path), data_definition=shape) for path in (reference, window))
asked = [(name, method) for name in numbers for method in ("psi", "jensenshannon", "wasserstein", "ks")]
asked += [(name, method) for name in categories for method in ("psi", "jensenshannon", "chisquare")]
done = Report([ValueDrift(column=name, method=method) for name, method in asked]).run(new, old).dict()
figures = {}
for (name, method), metric in zip(asked, done["metrics"], strict=True):
    figures.setdefault(name, {})[method] = float(metric["value"])
told("evidently", figures, began)
"""
_NANNYML = """
import os
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
import nannyml
began = now()
old, new = pd.read_parquet(reference), pd.read_parquet(window)
for name in categories:
    old[name], new[name] = old[name].astype("category"), new[name].astype("category")
found = nannyml.UnivariateDriftCalculator(
    column_names=numbers + categories, chunk_number=1,
    continuous_methods=["kolmogorov_smirnov", "jensen_shannon", "wasserstein"],
    categorical_methods=["chi2", "jensen_shannon"],
).fit(old).calculate(new).filter(period="analysis").to_df()
figures = {}
for name in numbers + categories:
    for method in found[name].columns.get_level_values(0).unique():
        figures.setdefault(name, {})[method] = float(found[name, method, "value"].iloc[0])
told("nannyml", figures, began)
"""
_CBPE = """
import os
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
import nannyml
began = now()
old, new = pd.read_parquet(reference), pd.read_parquet(window)
columns = dict(y_pred_proba="score", y_pred="prediction", y_true="label")
asked = dict(**columns, problem_type="classification_binary", metrics=["roc_auc"], chunk_number=1)
seen = nannyml.CBPE(**asked).fit(old).estimate(new).filter(period="analysis").to_df()
real = nannyml.PerformanceCalculator(**asked).fit(old).calculate(new).filter(period="analysis").to_df()
auc = {"estimated": float(seen["roc_auc", "value"].iloc[0]), "real": float(real["roc_auc", "value"].iloc[0])}
told("nannyml", {"auc": auc}, began)
"""
_ALIBI = """
from alibi_detect.cd import ChiSquareDrift, KSDrift
began = now()
old, new = pd.read_parquet(reference), pd.read_parquet(window)
figures = {}
for name in numbers:  # one at a time: whoever asks for all of them has to leave out each row with a gap
    told_by = KSDrift(old[[name]].dropna().to_numpy()).predict(new[[name]].dropna().to_numpy())
    figures[name] = {"ks": float(told_by["data"]["distance"][0])}
for name in categories:
    there = [one[[name]].dropna().to_numpy(dtype=str) for one in (old, new)]
    said = sorted(set(there[0][:, 0]) | set(there[1][:, 0]))
    told_by = ChiSquareDrift(there[0], categories_per_feature={0: said}).predict(there[1])
    figures[name] = {"chi2": float(told_by["data"]["distance"][0]), "cases": len(there[0]) + len(there[1])}
told("alibi-detect", figures, began)
"""
_RIVER = """
from river.drift import ADWIN
began = now()
figures = {}
for name in numbers:
    old, new = (pd.read_parquet(path, columns=[name])[name].dropna() for path in (reference, window))
    low, high = old.quantile([0.01, 0.99])
    detector, seen = ADWIN(), []
    for place, value in enumerate([*old, *new]):
        detector.update(min(max((value - low) / (high - low), 0.0), 1.0))
        if detector.drift_detected:
            seen.append(place)
    after = [place - len(old) for place in seen if place >= len(old)]
    figures[name] = {"alarms_before": len(seen) - len(after), "first_after": after[0] if after else -1}
told("river", figures, began)
"""
PROGRAMS = {
    ("evidently", "drift"): _EVIDENTLY,
    ("nannyml", "drift"): _NANNYML,
    ("alibi-detect", "drift"): _ALIBI,
    ("river", "drift"): _RIVER,
    ("nannyml", "decisions"): _CBPE,
}


class Answer(NamedTuple):
    """Figures by column, and what they took: seconds of the clock and of the processor, without imports; of the latter
    the window's, its reference being known; bytes at the peak.
    """

    figures: dict[str, dict[str, float]]
    seconds: float
    cpu: float
    window: float
    peak: float
    version: str


class NoAnswer(NamedTuple):
    """In its own words, or the resolver's, why a library says nothing."""

    why: str


def ask(tool: str, kind: str, windows: dict[str, Path], numbers: list[str], categories: list[str]) -> Answer | NoAnswer:
    """What a library says of a window beside its reference."""
    python = _environment(tool)
    if isinstance(python, NoAnswer):
        return python
    given = [str(windows["reference"]), str(windows["current"]), json.dumps(numbers), json.dumps(categories)]
    return answer_of([str(python), "-c", _FRAME + PROGRAMS[tool, kind], *given])


def answer_of(command: list[str]) -> Answer | NoAnswer:
    """What a program prints last."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HOME.parent)
    if done.returncode:
        return NoAnswer(_last(done.stderr))
    return Answer(**json.loads(done.stdout.splitlines()[-1]))


def _environment(tool: str) -> Path | NoAnswer:
    """The interpreter of an environment with the tool in it, made when it is first needed."""
    place, uv = HOME / tool, str(Path(sys.executable).with_name("uv"))
    python, ready = place / "bin" / "python", place / "ready"
    asked = "\n".join(PACKAGES[tool])
    if not ready.exists() or ready.read_text() != asked:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(python), *asked.splitlines()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_as_pip_is_told())
        if done.returncode:
            return NoAnswer(_last(done.stderr))
        ready.write_text(asked)
    return python


def _as_pip_is_told() -> dict[str, str]:
    """uv looks where pip does, whatever of it the environment says."""
    told = {
        "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
        "UV_EXTRA_INDEX_URL": "PIP_EXTRA_INDEX_URL",
        "SSL_CERT_FILE": "PIP_CERT",
    }
    return {ours: os.environ[pips] for ours, pips in told.items() if pips in os.environ} | dict(os.environ)


def _last(text: str) -> str:
    return " ".join(text.strip().splitlines()[-1:])[-300:]
