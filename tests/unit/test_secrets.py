"""Secrets are found by their form, told by their place, and never told themselves.

No secret stands here as it would in a leak, or this file would be one.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.supply.secrets import entropy, find_secrets

BODY = "a1B2c3D4e5F6" * 8
PEM = "PRIVATE" + " KEY-----"
ISSUED = {
    "private key": f"-----BEGIN OPENSSH {PEM}\n{BODY}",
    "AWS access key": "AKIA" + "Q2" * 8,
    "GitHub token": "ghp_" + BODY[:36],
    "GitHub fine-grained token": "github_pat_" + BODY[:60],
    "GitLab token": "glpat-" + BODY[:20],
    "Slack token": "xoxb-" + BODY[:24],
    "Slack address": "https://hooks.slack" + ".com/services/T0123456/B0123456/" + BODY[:24],
    "Google API key": "AIza" + BODY[:35],
    "Stripe key": "sk_live_" + BODY[:24],
    "OpenAI key": "sk-proj-" + BODY[:24] + "T3Blbk" + "FJ" + BODY[:24],
    "Anthropic key": "sk-ant-" + "api03-" + BODY[:40],
    "Hugging Face token": "hf_" + "aBcDeFgHiJ" * 3 + "kLmN",
    "PyPI token": "pypi-" + "AgE" + BODY[:60],
    "npm token": "npm_" + BODY[:36],
    "Databricks token": "dapi" + "0f" * 16,
    "Azure storage key": "Account" + "Key=" + (BODY * 2)[:86] + "==",
    "JSON Web Token": "eyJ" + BODY[:20] + ".eyJ" + BODY[:20] + "." + BODY[:30],
}
PASSWORD = "Tr0ub4dor&3x"
QUIET = [
    'password = os.environ["PASSWORD"]',
    'password = "changeme"',
    'password = getpass("Password: ")',
    'token = "<your token>"',
    "url = 'postgresql://user:${PASSWORD}@db/x'",
    "url = f'postgresql://{user}:{password}@db/x'",
    "https://example.com:8080/path@x",
    "mailto:olga@example.com",
    'tokenizer = "bert-base-uncased"',
    'PASSWORD_FIELD = "password"',
    '"token": "{{ token }}"',
    "password = '********'",
    "api_key: str = Field(default=None)",
    f"assert data.startswith('-----BEGIN OPENSSH {PEM}')",
    "ghp_short",
    "secretName: credit-db-2024",
]


@pytest.mark.parametrize("kind", ISSUED)
@pytest.mark.parametrize("around", ["{}", "key = '{}'", "// {} // here"])
def test_what_issuers_give_is_known_by_its_form(kind: str, around: str) -> None:
    """Wherever it stands; and nothing that is reported tells it."""
    text = "first\n" + around.format(ISSUED[kind])
    found = [one for one in find_secrets("code.py", text) if one.kind == kind]
    assert [one.line for one in found] == [2]
    assert ISSUED[kind][-16:] not in str(found)


@pytest.mark.parametrize(
    ("path", "line", "kind"),
    [
        ("a.py", f'password = "{PASSWORD}"', "password"),
        ("a.py", f"db_password: str = '{PASSWORD}'", "password"),
        ("a.js", f"const apiKey = {{api_key: '{PASSWORD}'}}", "password"),
        ("a.json", f'"client_secret": "{PASSWORD}"', "password"),
        ("a.py", f'os.environ["TOKEN"] = "{PASSWORD}"', "password"),
        ("a.py", "url = 'postgresql://svc:" + "s3cret" + "@db/x'", "password in an address"),
        (".env", "DB_PASSWORD=k8jP2qLm9z", "password in a setting"),
        ("deploy/values.yaml", "  api_token: 9f8e7d6c5b4a3928  # of the scorer", "password in a setting"),
    ],
)
def test_passwords_are_known_by_where_they_stand(path: str, line: str, kind: str) -> None:
    """Behind a name that says so, within an address, or as a setting."""
    assert [one.kind for one in find_secrets(path, line)] == [kind]


@pytest.mark.parametrize("line", QUIET)
def test_what_is_no_secret(line: str) -> None:
    """Placeholders, words, names of settings, and what is only read from elsewhere."""
    assert list(find_secrets("settings.yaml", line)) == []
    assert list(find_secrets("code.py", line)) == []


def test_a_finding_is_known_again() -> None:
    """Its fingerprint stays when lines move, and does not depend on the secret."""
    (before,) = find_secrets("a.py", f'password = "{PASSWORD}"')
    (after,) = find_secrets("a.py", f'\n\npassword = "{PASSWORD[::-1]}"')
    (other,) = find_secrets("a.py", f'other_password = "{PASSWORD}"')
    assert (before.line, after.line) == (1, 3)
    assert before.fingerprint == after.fingerprint != other.fingerprint


@given(st.text(), st.sampled_from(sorted(ISSUED)), st.text())
def test_nothing_around_hides_it(before: str, kind: str, after: str) -> None:
    """On a line of its own a secret is found in any text."""
    text = f"{before}\n{ISSUED[kind]}\n{after}"
    assert kind in {one.kind for one in find_secrets("a.py", text)}


@given(st.text(min_size=1))
def test_entropy_is_bounded(text: str) -> None:
    """None for one letter repeated, at most that of as many letters as there are."""
    assert entropy(text[0] * len(text)) == 0
    assert 0 <= entropy(text) <= len(set(text)).bit_length()
