"""Messages to people that wait: however many there are, few travel into the next run, and none of weight is lost."""

from hypothesis import given
from hypothesis import strategies as st

from models.messages import Notify
from models.notices import WAITING, put, untold

THREADS = ("", "drift", "worth")
threads = st.lists(st.sampled_from(THREADS), max_size=40)
PAYLOAD = 2_000_000
"""Bytes that the server takes as one."""


def message(number: int, thread: str) -> Notify:
    """The notice of a breach, as long as one can be."""
    subject = f"{number} {'x' * 400}"
    return Notify(visit=1, topic=f"breach:{number}", roles=("risk",), subject=subject, thread=thread)


def after(given: list[Notify]) -> list[Notify]:
    """What waits once they have come, one after the other, and nobody could be told."""
    waiting = list[Notify]()
    for one in given:
        put(waiting, one)
    return waiting


@given(threads, st.integers(0, 150))
def test_the_newest_of_a_thread_stands_for_the_others(later: list[str], before: int) -> None:
    """The first ones wait as they are, and all that are of no thread; of each thread, the newest, which says so."""
    given = [message(number, "drift") for number in range(before)]
    given += [message(number, thread) for number, thread in enumerate(later, before)]
    waits, rest = after(given), given[WAITING:]
    assert waits[:WAITING] == given[:WAITING]
    newest = {one.thread: one.topic for one in rest if one.thread}
    assert {one.thread: one.topic for one in waits[WAITING:] if one.thread} == newest
    assert [one for one in waits[WAITING:] if not one.thread] == [one for one in rest if not one.thread]
    several = {name for name in newest if [one.thread for one in rest].count(name) > 1}
    assert {one.thread for one in waits if one.subject.endswith("on record")} == several
    assert len(waits) <= max(WAITING, len(given)) - sum(1 for one in rest if one.thread) + len(newest)


def test_ten_thousand_fit_into_one_payload() -> None:
    """Of several monitors, by turns; and again in the next run, which begins with what has waited."""
    given = [message(number, THREADS[1 + number % 2]) for number in range(10_000)]
    waits = after(given)
    assert len(waits) == len(after([*waits, *given])) == WAITING + 2
    assert sum(len(one.model_dump_json()) for one in waits) < PAYLOAD / 10
    assert {one.topic for one in waits[-2:]} == {"breach:9998", "breach:9999"}


@given(threads, st.data())
def test_what_is_left_to_tell_is_what_waited(later: list[str], data: st.DataObject) -> None:
    """From the record of what was told, in the order in which it waited, follows what a rebuilt one has to tell."""
    given = [message(number, "drift") for number in range(data.draw(st.integers(0, 120)))]
    given += [message(number, thread) for number, thread in enumerate(later, len(given))]
    waits = after(given)
    told = data.draw(st.integers(0, len(waits)))
    left = untold("loans", given, {one.key("loans") for one in waits[:told]})
    threadless = [one.topic for one in waits[told:] if not one.thread]
    assert [one.topic for one in left if not one.thread] == threadless
    heard = {one.thread for one in waits[told:] if one.thread}
    assert {one.thread for one in left if one.thread} == heard
    assert untold("loans", given, {one.key("loans") for one in waits}) == ()
