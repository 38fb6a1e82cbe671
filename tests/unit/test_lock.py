"""Lock files: what pins a distribution is a pin, and everything else is an objection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from models.supply.lock import Pin, parse_lock

HASH = "--hash=sha256:" + "0f" * 32


@pytest.mark.parametrize(
    "text",
    [
        "Foo.Bar_baz==1.0",
        "foo-bar-baz == 1.0",
        "foo-bar-baz[extra,other]==1.0.0",
        "foo-bar-baz===1.0",
        "foo-bar-baz==1.0 ; python_version < '3.9'",
        f"foo-bar-baz==1.0 {HASH}",
        f"foo-bar-baz==1.0 \\\n    {HASH} \\\n    {HASH}\n",
        f"foo-bar-baz==1.0 ; python_version < '3.9' \\\n    {HASH}\n    # via another\n",
        "\ufeff# a comment\n\n--require-hashes\n--only-binary :all:\nfoo-bar-baz==1.0   # why\r\n",
        "# a comment that ends with a backslash \\\nfoo-bar-baz==1.0",
        "foo-bar-baz==1.0\nFoo_Bar.Baz==1.0\n",
    ],
)
def test_a_pin_however_it_is_written(text: str) -> None:
    """Names are normalised; hashes, comments, extras, markers and what says how to install are left aside."""
    assert parse_lock(text.encode()) == ((Pin("foo-bar-baz", Version("1.0")),), ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("foo", "is not pinned"),
        ("foo>=1.0", "is not pinned"),
        ("foo==1.*", "is not pinned"),
        ("foo==1.0,!=1.1", "is not pinned"),
        ("foo~=1.0", "is not pinned"),
        ("foo===1.0-gone-wild", "cannot be compared"),
        ("foo @ https://example.com/foo-1.0.whl", "from an address"),
        ("foo @ git+https://olga:hunter2@example.com/foo", "from an address"),
        ("https://example.com/foo-1.0.whl", "is no requirement"),
        ("./foo-1.0.whl", "is no requirement"),
        ("-e .", "is an option"),
        ("-r other.txt", "is an option"),
        ("--extra-index-url https://example.com/simple", "is an option"),
        ("--index-url https://example.com/simple", "is an option"),
        ('name = "foo"', "is no requirement"),
        ("foo==1.0 --hash=sha256:xyz", "is no requirement"),
        ("foo==1.0 --config-settings x=y", "is no requirement"),
    ],
)
def test_what_is_no_pin(line: str, why: str) -> None:
    """What names no distribution of PyPI exactly is an objection with its line; a password in it is not told."""
    found = parse_lock(f"bar==2.0\n{line}\n".encode())
    assert [str(pin) for pin in found.pins] == ["bar==2.0"]
    (objection,) = found.objections
    assert objection.startswith("line 2: ")
    assert why in objection
    assert "hunter2" not in objection


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"\xff\xfe", b"--require-hashes\n"])
def test_nothing_to_look_at_is_an_objection(data: bytes) -> None:
    """A file that pins nothing has not been looked at."""
    found = parse_lock(data)
    assert found.pins == ()
    assert len(found.objections) == 1


@given(st.text(max_size=200))
def test_no_line_is_lost(text: str) -> None:
    """Whatever it says: a line is a pin, an objection, or says nothing; and adding it never takes a pin away."""
    found = parse_lock(f"{text}\n\nbar==2.0".encode(errors="replace"))
    assert found.objections or any(pin.name == "bar" for pin in found.pins)


def test_a_pin_knows_its_files_and_its_address() -> None:
    """The hashes stand by it, of whichever line came first; they make no other pin."""
    digests = ("1" * 64, "2" * 64)
    hashes = f"--hash=sha256:{digests[1]} --hash=sha256:{digests[0]} --hash=md5:{'3' * 32}"
    text = f"b_a.c==2!1.0+local {hashes}\nb-a-c==2!1.0+local\n"
    (pin,) = parse_lock(text.encode()).pins
    assert (pin.hashes, pin.purl) == (digests, "pkg:pypi/b-a-c@2!1.0%2Blocal")
