"""Facts of models and versions as people write them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from client.documents import in_plain_words, read_facts, read_submission
from models.errors import InvalidInputError
from models.messages import Request
from models.policy import Policy
from worker.policies import built_in_packs

DEMO = Path(__file__).parents[2] / "examples" / "loan_approval" / "model.yaml"
POLICY = Policy(built_in_packs(), date(2026, 11, 25))
PINNED = {"uri": "file:///data/x", "digest": "sha256:" + "0" * 64}
VERSION: dict[str, Any] = {
    "artifact": PINNED,
    "source": {"repository": "https://example.com/loans.git", "commit": "c" * 40},
    "training_data": [PINNED],
    "holdout": PINNED,
    "dependencies": PINNED,
    "contract": {"inputs": [{"name": "income"}], "outputs": [{"name": "score"}], "label": "good"},
    "developer": "ana",
}


_OVERRIDDEN = "  override: {tier: low, person: credit-data-science, reason: It only proposes.}\n  answers:\n"


def version(folder: Path, **changes: object) -> Path:
    """A version's facts as a JSON file, with some changes."""
    path = folder / "version.json"
    path.write_text(json.dumps(VERSION | changes))
    return path


def test_demo() -> None:
    """The demo's facts are read."""
    assert read_facts(DEMO, POLICY).id == "loan-approval"


def test_submitter(tmp_path: Path) -> None:
    """Who hands a version in is its submitter, whoever the file names."""
    assert read_submission(version(tmp_path), "sam").submitter == "sam"
    assert read_submission(version(tmp_path, submitter="ana"), "sam").submitter == "sam"


@pytest.mark.parametrize(
    ("line", "written", "mistake"),
    [
        ("id: loan-approval", "id: Loan Approval", "1:5: id: 'Loan Approval' is not a name: lower-case letters"),
        ("kind: ml", "kind: magic", "kind: 'magic' is not one of: ml, rules, knowledge_graph"),
        ("personal_data: true", "personal_data: yes", "personal_data: 'yes' should be true or false"),
        ("personal_data: true", "personal: true", "personal: is not known here"),
        ("owner: credit-data-science\n", "", "1:1: owner: is missing"),
        ("kind: ml", "kind: ml\nkind: rules", "'kind' is here already, in line 3"),
        ("jurisdictions: [US, EU]", "jurisdictions: []", "jurisdictions: is empty"),
        ("    impact: serious\n", "", "6:5: assessment.answers: 'impact' is not answered: What is the worst"),
        ("    impact: serious", "    impct: serious", "6:12: assessment.answers.impct: is not asked\n    did you mean"),
        (
            "impact: serious",
            "impact: huge",
            "6:13: assessment.answers.impact: 'huge' is no answer to 'What is the worst",
        ),
        ("impact: serious", "impact: Serious", "'Serious' is no answer to 'What is the worst"),
        (
            "special ",
            "internal ",
            "9:23: assessment.answers.data_sensitivity: 'internal' contradicts what is registered",
        ),
        ("decides_within_limits", "informs", "'informs' contradicts what is registered: automated decision"),
        (
            "automated_decision: true",
            "automated_decision: false",
            "'decides_within_limits' contradicts what is registered",
        ),
        ("personal_data: true", "personal_data: false", "'special' contradicts what is registered: no personal data"),
        ("kind: ml", "kind: ml\nrisk_tier: low", "4:12: risk_tier: 'low' is not the tier that follows: impact serious"),
        ("  answers:\n", _OVERRIDDEN, "assessment.override.person: 'credit-data-science' owns the model and may not"),
        ("  answers:\n", _OVERRIDDEN.replace("low", "high"), "tier: the answers give high already"),
    ],
)
def test_mistakes(tmp_path: Path, line: str, written: str, mistake: str) -> None:
    """A mistake is told in plain words, with the file, and the line and column of its place."""
    text = DEMO.read_text()
    assert line in text
    path = tmp_path / "model.yaml"
    path.write_text(text.replace(line, written, 1))
    with pytest.raises(InvalidInputError) as caught:
        read_facts(path, POLICY)
    assert mistake in str(caught.value)
    assert f"{path}:" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"artifact": "models:/loans@latest"}, "artifact: 'models:/loans@latest' is a mutable reference: give its uri"),
        ({"artifact": {"uri": "s3://x"}}, "is a mutable reference"),
        ({"source": {"repository": "x", "commit": "main"}}, "'main' is not a full commit"),
        ({"holdout": {"uri": "x", "digest": "abc"}}, "holdout.digest: 'abc' is not a digest: sha256: and 64"),
        ({"training_data": []}, "training_data: is empty"),
    ],
)
def test_mutable_references(tmp_path: Path, change: dict[str, object], mistake: str) -> None:
    """Whatever could mean something else tomorrow is refused, in words that say what to write instead."""
    with pytest.raises(InvalidInputError) as caught:
        read_submission(version(tmp_path, **change), "sam")
    assert mistake in str(caught.value)


def test_all_at_once(tmp_path: Path) -> None:
    """Two mistakes are told in one go."""
    path = version(tmp_path, artifact="x", holdout="y")
    with pytest.raises(InvalidInputError, match="2 problems") as caught:
        read_submission(path, "sam")
    assert str(caught.value).count("mutable reference") == 2


@pytest.mark.parametrize(
    "text", ['{"id": 1, "id": 2}', "{", "[" * 100_000, '{"threshold": NaN}', "\udcff".encode(errors="surrogateescape")]
)
def test_json_is_strict(tmp_path: Path, text: str | bytes) -> None:
    """JSON with a key twice, no end, no bottom, no number or no text is refused as such."""
    path = tmp_path / "model.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInputError, match="is not plain JSON"):
        read_facts(path, POLICY)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "null"])
def test_not_a_mapping(tmp_path: Path, text: str) -> None:
    """A file that holds anything but keys and values is refused."""
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=r"model\.yaml"):
        read_facts(path, POLICY)


def test_values_in_plain_words() -> None:
    """Values given to a command are refused in the same words as those in a file."""
    with pytest.raises(InvalidInputError) as caught, in_plain_words("the request"):
        Request(person="Ana!", reason=" ")
    assert "person: 'Ana!' is not a name" in str(caught.value)
    assert "reason: is empty" in str(caught.value)
