"""What tickets are found by and what they say: always by whom and what, never too long."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from models.announcing import Message, Topic
from models.tickets import headline, lines, marks, signature, unaddressed

TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)
MESSAGES = st.builds(
    Message,
    key=st.builds("{}.{}".format, st.integers(1, 4), st.integers(0, 3)),
    topic=st.sampled_from(Topic),
    model=st.just("loan"),
    recipient=st.none() | st.sampled_from(["rosa", "olga"]),
    subject=TEXTS | st.sampled_from(["a", "b"]),
    body=TEXTS | st.just(""),
    at=st.just(datetime(2026, 3, 2, tzinfo=UTC)),
    thread=st.none() | st.sampled_from(["breach/loan", "1.0"]),
    more=st.integers(0, 3),
)


@given(MESSAGES, st.integers(60, 160))
def test_a_text_ends_with_what_it_is_about(message: Message, longest: int) -> None:
    """However long the message is: the signature is whole, and no paragraph is empty, which Jira refuses."""
    said = lines("acme", message, longest)
    assert said[-1] == signature("acme", message)
    assert len("\n".join(said)) <= longest
    assert all(line.strip() and "\n" not in line for line in said)


@given(MESSAGES, st.integers(1, 300))
def test_a_headline_is_one_line(message: Message, longest: int) -> None:
    """Never longer than the tracker takes."""
    found = headline(message, longest)
    assert len(found) <= longest
    assert found.splitlines() in ([], [found])


@given(MESSAGES, MESSAGES)
def test_marks_are_of_one_message_and_of_one_thread(one: Message, other: Message) -> None:
    """The same for the same message of the same installation alone; a thread is never taken for a message."""
    first, second, elsewhere = marks("acme", one), marks("acme", other), marks("emca", one)
    assert (first.message == second.message) == (one.key == other.key)
    assert (first.thread == second.thread) == (one.thread == other.thread)
    assert first.message not in (elsewhere.message, first.thread, second.thread)


@given(st.lists(MESSAGES, max_size=12))
def test_who_it_is_said_to_makes_no_ticket(messages: list[Message]) -> None:
    """Nothing that was said is lost, nobody is named, and what one entry says to many is there once."""
    found = list(unaddressed(messages))
    assert {(one.subject, one.body) for one in found} == {(one.subject, one.body) for one in messages}
    assert {one.recipient for one in found} <= {None}
    entries = [(one.key.partition(".")[0], one.subject, one.body) for one in found]
    assert len(entries) == len(set(entries))
