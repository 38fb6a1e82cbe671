"""Trains the flight-delay model: `python train.py --request REQUEST.json --output DIR`.

The request names pinned training data, a pinned hold-out, perhaps a new window, the source commit and who asks.
DIR receives model.onnx, golden.csv, requirements.lock, training.csv and result.json. A request with a contract is a
retraining: the window's flights are added to those before, and the successor is judged by the same threshold.
"""

import argparse
import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import NotRequired, TypedDict
from urllib.parse import unquote, urlsplit

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray
from packaging.requirements import Requirement
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

LABEL = "late"
INPUTS = ["hour", "weekday", "carrier", "origin", "dest"]
LEAST_ROWS = 50
"""A carrier, an airport or an hour with fewer flights has no coefficient of its own."""
PARITY_LIMIT = 1e-5
GOLDEN_ROWS = 100
OPSET = {"": 21, "ai.onnx.ml": 3}

Values = NDArray[np.float64]


class Pinned(TypedDict):
    """Bytes elsewhere: where they are, and what they must be."""

    uri: str
    digest: str


class Request(TypedDict):
    """What REQUEST.json says; one with `contract` keeps that."""

    training: list[Pinned]
    holdout: Pinned
    window: Pinned | None
    source: dict[str, str]
    developer: str
    submitter: str
    trainer: str
    contract: NotRequired[dict[str, object]]


def reference(path: Path) -> Pinned:
    """A file as a pinned reference: its URI and SHA-256."""
    return {"uri": path.as_uri(), "digest": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def read(pinned: Pinned) -> pd.DataFrame:
    """A pinned table, provided that its bytes are those that were promised."""
    path = Path(unquote(urlsplit(pinned["uri"]).path))
    if (found := reference(path)["digest"]) != pinned["digest"]:
        raise SystemExit(f"{path}: expected {pinned['digest']}, found {found}")
    return pd.read_csv(path)


def fit(rows: pd.DataFrame) -> Pipeline:
    """A coefficient for each hour, weekday, carrier and airport: logistic regression, L2."""
    counts = [rows[name].value_counts() for name in INPUTS]
    usual = [sorted(count[count >= LEAST_ROWS].index.astype(float)) for count in counts]
    encoder = OneHotEncoder(categories=usual, handle_unknown="ignore")
    pipeline = Pipeline([("encode", encoder), ("decide", LogisticRegression(C=0.1, max_iter=1000))])
    return pipeline.fit(rows[INPUTS].to_numpy(dtype=float), rows[LABEL].to_numpy(dtype=int))


def scores_of(pipeline: Pipeline, rows: pd.DataFrame) -> Values:
    """The probability of each flight to be late."""
    found: Values = pipeline.predict_proba(rows[INPUTS].to_numpy(dtype=float))[:, 1]
    return found


def export(pipeline: Pipeline, path: Path) -> None:
    """Write ONNX: one float input [n, inputs]; outputs `label` and `probabilities` [n, 2]."""
    proto = to_onnx(
        pipeline,
        initial_types=[("input", FloatTensorType([None, len(INPUTS)]))],
        options={id(pipeline): {"zipmap": False}},
        target_opset=OPSET,
        name="flight-delay",
    )
    path.write_bytes(proto.SerializeToString(deterministic=True))


def parity(pipeline: Pipeline, path: Path, rows: pd.DataFrame) -> float:
    """The largest difference between the two models' probabilities on the same rows."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"input": rows[INPUTS].to_numpy(dtype=np.float32)})[0]
    return float(np.abs(exported[:, 1] - scores_of(pipeline, rows)).max())


def lock(package: str) -> str:
    """A package and all it needs, as installed here: `name==version` lines, sorted."""
    waiting, found = [package], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = metadata.version(name)
            needed = [Requirement(line) for line in metadata.requires(name) or ()]
            waiting += [r.name.lower() for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def agree(scores: Values, late: pd.Series) -> dict[str, object]:
    """The contract of a first version; it flags as many flights as were late."""
    return {
        "inputs": [{"name": name, "type": "number"} for name in INPUTS],
        "outputs": [{"name": "label", "type": "integer"}, {"name": "probabilities", "type": "number"}],
        "label": LABEL,
        "threshold": round(float(np.quantile(scores, 1 - late.mean())), 2),
        "protected": [],
    }


def run(request: Request, output: Path) -> None:
    """Train, export, compare, and write down what was made."""
    output.mkdir(parents=True, exist_ok=True)
    model, golden, wanted, training = (
        (output / name).resolve() for name in ("model.onnx", "golden.csv", "requirements.lock", "training.csv")
    )
    parts = [read(one) for one in (*request["training"], *filter(None, [request["window"]]))]
    rows = pd.concat(parts, ignore_index=True)[list(parts[0].columns)].dropna(subset=[LABEL])
    rows.astype({LABEL: int}).to_csv(training, index=False, lineterminator="\n")
    pipeline, unseen = fit(rows), read(request["holdout"])
    export(pipeline, model)
    difference = parity(pipeline, model, unseen)
    if not difference <= PARITY_LIMIT:
        raise SystemExit(f"{model}: differs from the trained model by {difference:.2e}, {PARITY_LIMIT:.0e} is allowed")
    some = unseen.head(GOLDEN_ROWS)
    some[INPUTS].assign(score=scores_of(pipeline, some)).to_csv(golden, index=False, lineterminator="\n")
    wanted.write_text(lock("onnxruntime"), encoding="utf-8")
    origin = " and a window" if request["window"] else ""
    result = {
        "artifact": reference(model),
        "golden": {"predictions": reference(golden), "tolerance": PARITY_LIMIT},
        "source": request["source"],
        "training_data": [reference(training)],
        "holdout": request["holdout"],
        "dependencies": reference(wanted),
        "contract": request.get("contract") or agree(scores_of(pipeline, rows), rows[LABEL]),
        **{who: request[who] for who in ("developer", "submitter", "trainer")},
        "notes": f"logistic regression on {len(rows)} flights of the training months{origin}",
    }
    (output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {model}, trained on {len(rows)} flights, and {output / 'result.json'}")


def main() -> None:
    """Read the request and carry it out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    chosen = parser.parse_args()
    request: Request = json.loads(chosen.request.read_text(encoding="utf-8"))
    run(request, chosen.output)


if __name__ == "__main__":
    main()
