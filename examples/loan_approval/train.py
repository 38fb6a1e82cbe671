"""Trains the loan-approval model: `python train.py --request REQUEST.json --output DIR`.

The request names pinned training data, a pinned hold-out, perhaps a new window, the source commit and who asks.
DIR receives model.onnx, golden.csv, requirements.lock, report.json and result.json. The hold-out is read once, at the
end, to compare the exported model with the original on data that neither has seen; nothing is fitted or chosen on it.
The original's answers to its first rows are golden.csv, with which the exported model is compared wherever it goes.

A request that names a contract is a retraining: the successor reads the same inputs and is judged by the same
threshold, whatever this program would choose. Another threshold is for a person to submit.
"""

import argparse
import hashlib
import json
import re
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
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

LABEL = "approve"
FINANCES = [
    "loanamt", "loanprc", "price", "appinc", "atotinc", "cototinc", "hexp", "hrat", "obrat", "netw", "liq", "unem",
    "self", "dep", "multi", "mortno", "mortlat1", "mortlat2", "chist", "cons", "pubrec", "cosign", "thick", "gdlin",
    "unver",
]  # fmt: skip
NEIGHBOURHOOD = ["vr", "mi", "bd"]
INPUTS = {"plain": FINANCES + NEIGHBOURHOOD, "mitigated": FINANCES}
REFERENCE_GROUPS = {"race": "white", "sex": "male"}
IMPACT_WANTED = 0.90
THRESHOLDS = np.arange(90, 4, -1) / 100
PARITY_LIMIT = 1e-5
GOLDEN_ROWS = 100
OPSET = {"": 21, "ai.onnx.ml": 3}

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


class Pinned(TypedDict):
    """Bytes elsewhere: where they are, and what they must be."""

    uri: str
    digest: str


class Contract(TypedDict):
    """What a model reads and writes, and how it is judged."""

    inputs: list[dict[str, str]]
    outputs: list[dict[str, str]]
    label: str
    threshold: float
    protected: list[dict[str, str]]


class Request(TypedDict):
    """What REQUEST.json says; a request without `strategy` is mitigated, one with `contract` keeps that."""

    strategy: str
    training: list[Pinned]
    holdout: Pinned
    window: Pinned | None
    source: dict[str, str]
    developer: str
    submitter: str
    trainer: str | None
    contract: NotRequired[Contract]


def read_request(path: Path) -> Request:
    """The request, checked where a mistake would pass unnoticed."""
    request: Request = json.loads(path.read_text(encoding="utf-8"))
    request.setdefault("strategy", "mitigated")
    if request["strategy"] not in INPUTS:
        raise SystemExit(f"{path}: strategy is '{request['strategy']}'; known are {', '.join(INPUTS)}")
    commit = request["source"]["commit"]
    if not re.fullmatch(r"[0-9a-f]{40}", commit) or commit == "0" * 40:
        raise SystemExit(f"{path}: source.commit is '{commit}'; give the 40 digits of a real commit")
    return request


def path_of(pinned: Pinned) -> Path:
    """A pinned file, provided that its bytes are those that were promised."""
    parts = urlsplit(pinned["uri"])
    if parts.scheme != "file":
        raise SystemExit(f"{pinned['uri']}: only file:// references can be read here")
    path = Path(unquote(parts.path))
    found = reference(path)["digest"]
    if found != pinned["digest"]:
        raise SystemExit(f"{path}: expected {pinned['digest']}, found {found}")
    return path


def reference(path: Path) -> Pinned:
    """A file as a pinned reference: its URI and SHA-256."""
    return {"uri": path.as_uri(), "digest": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def join(pinned: list[Pinned], names: list[str], output: Path) -> Pinned:
    """All that is trained on as one pinned file: the only one, or the rows of all, in the columns of the first.

    A window may hold more, and need not hold what nothing is fitted on.
    """
    if len(pinned) == 1:
        return pinned[0]
    files = [pd.read_csv(path_of(one), dtype=str, keep_default_na=False) for one in pinned]
    for one, file in zip(pinned, files, strict=True):
        if missing := [name for name in (*names, LABEL, *REFERENCE_GROUPS) if name not in file]:
            raise SystemExit(f"{one['uri']}: no column {', '.join(missing)}")
    path = (output / "training.csv").resolve()
    whole = pd.concat(files, ignore_index=True)[list(files[0].columns)]
    whole.to_csv(path, index=False, lineterminator="\n")
    return reference(path)


def reweigh(race: pd.Series, label: pd.Series) -> Values:
    """The weight of each row that makes race and outcome independent in the training data.

    Kamiran and Calders (2012), "Data preprocessing techniques for classification without discrimination",
    Knowledge and Information Systems 33: P(race) P(outcome) / P(race, outcome).
    """
    rows = pd.DataFrame({"race": race, "label": label})
    sizes = rows.groupby(["race", "label"])["label"].transform("size")
    expected = rows["race"].map(rows["race"].value_counts()) * rows["label"].map(rows["label"].value_counts())
    return (expected / len(rows) / sizes).to_numpy(dtype=float)


def fit(inputs: Values, label: Labels, weights: Values) -> Pipeline:
    """Median imputation, standard scores, logistic regression."""
    steps = [("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())]
    pipeline = Pipeline([*steps, ("decide", LogisticRegression(C=0.1, max_iter=5000))])
    return pipeline.fit(inputs, label, decide__sample_weight=weights)


def unseen_scores(inputs: Values, label: Labels, weights: Values) -> Values:
    """Each training row's score from a model that was fitted without it: five folds."""
    scores = np.zeros(len(label))
    for kept, left in StratifiedKFold(5, shuffle=True, random_state=0).split(inputs, label):
        scores[left] = fit(inputs[kept], label[kept], weights[kept]).predict_proba(inputs[left])[:, 1]
    return scores


def adverse_impact(selected: NDArray[np.bool_], rows: pd.DataFrame) -> float:
    """The smallest ratio of a group's selection rate to that of its reference group."""
    ratios = []
    for column, first in REFERENCE_GROUPS.items():
        rates = pd.Series(selected, index=rows.index).groupby(rows[column]).mean()
        ratios.append(float((rates / rates[first]).min()))
    return min(ratios)


def choose_threshold(strategy: str, scores: Values, rows: pd.DataFrame) -> float:
    """From training data only, in whole hundredths.

    Plain: as many approvals as people gave. Mitigated: the strictest threshold, never stricter than the plain one,
    at which the adverse-impact ratio of unseen scores is .90: the four-fifths rule and room for chance.
    """
    approved = rows[LABEL].mean()
    plain = min(THRESHOLDS, key=lambda threshold: abs((scores >= threshold).mean() - approved))
    if strategy == "plain":
        return float(plain)
    for threshold in THRESHOLDS[plain >= THRESHOLDS]:
        if adverse_impact(scores >= threshold, rows) >= IMPACT_WANTED:
            return float(threshold)
    raise SystemExit(f"no threshold reaches an adverse-impact ratio of {IMPACT_WANTED} on the training data")


def train(strategy: str, names: list[str], rows: pd.DataFrame) -> tuple[Pipeline, Values]:
    """The fitted pipeline, and the score of every row from a model that has not seen it."""
    inputs, label = rows[names].to_numpy(dtype=float), rows[LABEL].to_numpy(dtype=int)
    weights = reweigh(rows["race"], rows[LABEL]) if strategy == "mitigated" else np.ones(len(rows))
    return fit(inputs, label, weights), unseen_scores(inputs, label, weights)


def export(pipeline: Pipeline, width: int, path: Path) -> None:
    """Write ONNX: one float input [n, width]; outputs `label` and `probabilities` [n, 2]."""
    proto = to_onnx(
        pipeline,
        initial_types=[("input", FloatTensorType([None, width]))],
        options={id(pipeline): {"zipmap": False}},
        target_opset=OPSET,
        name="loan-approval",
    )
    path.write_bytes(proto.SerializeToString(deterministic=True))


def parity(pipeline: Pipeline, path: Path, inputs: Values) -> float:
    """The largest difference between the two models' probabilities on the same rows."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"input": inputs.astype(np.float32)})[0]
    return float(np.abs(exported - pipeline.predict_proba(inputs)).max())


def write_golden(pipeline: Pipeline, names: list[str], unseen: pd.DataFrame, path: Path) -> None:
    """What the original answers to some rows, beside its inputs and nothing else of them."""
    rows = unseen[names].head(GOLDEN_ROWS)
    scores = pipeline.predict_proba(rows.to_numpy(dtype=float))[:, 1]
    rows.assign(score=scores).to_csv(path, index=False, lineterminator="\n")


def lock(package: str) -> str:
    """A package and all it needs, as installed here: `name==version` lines, sorted."""
    waiting, found = [package], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = metadata.version(name)
        needed = [Requirement(line) for line in metadata.requires(name) or ()]
        waiting += [r.name.lower() for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def agree(strategy: str, scores: Values, rows: pd.DataFrame) -> Contract:
    """The contract of a first version."""
    return {
        "inputs": [{"name": name, "type": "number"} for name in INPUTS[strategy]],
        "outputs": [{"name": "label", "type": "integer"}, {"name": "probabilities", "type": "number"}],
        "label": LABEL,
        "threshold": choose_threshold(strategy, scores, rows),
        "protected": [{"column": column, "reference": first} for column, first in REFERENCE_GROUPS.items()],
    }


def describe(request: Request, rows: int, threshold: float) -> str:
    """One line for whoever reads the inventory."""
    origin = f", of which the window {request['window']['digest']}" if request["window"] else ""
    return f"{request['strategy']}: logistic regression on {rows} applications{origin}; threshold {threshold:.2f}"


def run(request: Request, output: Path) -> None:
    """Train, export, compare, and write down what was made."""
    output.mkdir(parents=True, exist_ok=True)
    kept, strategy = request.get("contract"), request["strategy"]
    names = [column["name"] for column in kept["inputs"]] if kept else INPUTS[strategy]
    training = join([*request["training"], *([request["window"]] if request["window"] else [])], names, output)
    rows = pd.read_csv(path_of(training))
    print(f"Fitting and cross-validating on {len(rows)} applications ...")
    pipeline, scores = train(strategy, names, rows)
    contract = kept or agree(strategy, scores, rows)
    threshold = contract["threshold"]
    model, wanted = (output / "model.onnx").resolve(), (output / "requirements.lock").resolve()
    export(pipeline, len(names), model)
    print("Comparing the exported model with the trained one ...")
    unseen, golden = pd.read_csv(path_of(request["holdout"])), (output / "golden.csv").resolve()
    difference = parity(pipeline, model, unseen[names].to_numpy(dtype=float))
    if not difference <= PARITY_LIMIT:
        raise SystemExit(f"{model}: differs from the trained model by {difference:.2e}, {PARITY_LIMIT:.0e} is allowed")
    write_golden(pipeline, names, unseen, golden)
    wanted.write_text(lock("onnxruntime"), encoding="utf-8")
    report = {
        "strategy": strategy,
        "rows": len(rows),
        "threshold": threshold,
        "parity_max_abs_difference": difference,
        "cross_validated_auc": float(roc_auc_score(rows[LABEL], scores)),
        "cross_validated_adverse_impact": adverse_impact(scores >= threshold, rows),
        "cross_validated_approvals": float((scores >= threshold).mean()),
    }
    (output / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    result = {
        "artifact": reference(model),
        "golden": {"predictions": reference(golden), "tolerance": PARITY_LIMIT},
        "source": request["source"],
        "training_data": [training],
        "holdout": request["holdout"],
        "dependencies": reference(wanted),
        "contract": contract,
        **{who: request[who] for who in ("developer", "submitter", "trainer")},
        "notes": describe(request, len(rows), threshold),
    }
    (output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"Wrote {model} (AUC {report['cross_validated_auc']:.3f} by cross-validation) and {output / 'result.json'}")


def main() -> None:
    """Read the request and carry it out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    chosen = parser.parse_args()
    run(read_request(chosen.request), chosen.output)


if __name__ == "__main__":
    main()
