"""Licence expressions, and which distributions have one that is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.supply.licences import licence_issues, permitted
from models.supply.lock import parse_lock

ALLOWED = ("MIT", "Apache-2.0", "GPL-2.0-only WITH Classpath-exception-2.0")
IDS = ("MIT", "Apache-2.0", "GPL-3.0-only", "AGPL-3.0-only")
EXPRESSIONS = st.recursive(
    st.sampled_from(IDS),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_an_expression_is_logic(expression: str) -> None:
    """AND and OR mean what they mean to Python, once each licence is allowed or not."""
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    logic = " ".join(str(word in ALLOWED) if word in IDS else word.lower() for word in words)
    assert permitted(expression, ALLOWED) is eval(logic)


@pytest.mark.parametrize(
    ("expression", "whether"),
    [
        ("mit", True),
        ("MIT OR GPL-3.0-only AND AGPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND AGPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("GPL-2.0-only", False),
        ("GPL-2.0-only WITH GCC-exception-2.0 OR MIT", True),
        ("LicenseRef-Ours", False),
    ],
)
def test_whether_it_is_allowed(expression: str, whether: bool) -> None:
    """AND binds more than OR; an exception belongs to its licence; a licence of one's own is one like others."""
    assert permitted(expression, ALLOWED) is whether


@pytest.mark.parametrize("expression", ["", "MIT AND", "3-Clause BSD License", "MIT OR OR MIT", "(MIT", "Proprietary"])
def test_what_is_no_expression(expression: str) -> None:
    """Words that are none of SPDX's are refused, never guessed at."""
    with pytest.raises(ValueError, match=r".+"):
        permitted(expression, ALLOWED)


def test_unknown_is_an_issue() -> None:
    """A licence that is not known, not allowed or no expression; a version's own licence counts before its name's."""
    pins = parse_lock(b"a==1.0\nb==1.0\nc==1.0\nd==1.0\nd==2.0\n").pins
    licences = {"a": "MIT", "b": "AGPL-3.0-only", "d": "MIT", "d==2.0": "whatever"}
    assert [(one.distribution, one.reason) for one in licence_issues(pins, licences, ALLOWED)] == [
        ("b==1.0", "'AGPL-3.0-only' is not among the allowed licences"),
        ("c==1.0", "its licence is not known"),
        ("d==2.0", "'whatever' is no SPDX licence expression"),
    ]
