"""A trial for people: what the challenger answers, where each measure lies between its bounds, what comes next."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from client.console import clean, moment
from client.render import VERDICTS, table, verdict_text
from client.trials import Ended, Shown, in_words
from models.plan import MeasurePlan, TrialPlan
from models.trial import Coming, Found, Look

WIDTH = 31
"""Columns of a drawn interval; odd, so that no difference has a column of its own."""


def trial(found: Shown, plan: TrialPlan, utc: bool = False) -> Group:
    """Where a trial is, or how it ended."""
    return Group(
        Panel.fit(_banner(found, utc), title=found.model, title_align="left"),
        *(_looked(found.look, plan, utc) if found.look else ()),
        *(_coming(found.coming, utc) if found.coming else ()),
    )


def _banner(found: Shown, utc: bool) -> Text:
    tried = found.trial
    beside = f" beside version {found.champion}" if found.champion and found.champion != tried.version else ""
    lines = Text(f"Version {tried.version}{beside if found.running else ''} in {tried.environment}", style="bold")
    for given in tried.given:
        lines.append(f"\n{in_words(given)} since {moment(given.since, utc)}", style="default")
    if tried.ended:
        lines.append_text(_ended(tried.ended, utc))
    elif not found.running:
        lines.append("\nIt was given up before it had a result.", style="yellow")
    elif found.look is None:
        lines.append("\nNobody has looked at what it answers yet.", style="default")
    return lines


def _ended(ended: Ended, utc: bool) -> Text:
    said = f"\n{ended.verdict} {moment(ended.at, utc)}: {clean(ended.summary)}"
    return Text(said, style=VERDICTS[ended.verdict])


def _looked(look: Look, plan: TrialPlan, utc: bool) -> Iterator[RenderableType]:
    margins = {one.name: one for one in plan.measures}
    seen = look.observations
    yield Text(
        f"Seen from {moment(seen.since, utc)} to {moment(seen.until, utc)}: {seen.challenger_requests} answers, "
        f"{seen.champion_requests} of the champion"
    )
    yield table(("Measure", "Better by", "Between", "", "Wanted", "Cases", "Verdict"), _measures(look, margins))
    if look.checks:
        rows = [(one.kpi, verdict_text(one.verdict), one.reason) for one in look.checks]
        yield table(("Check", "Verdict", "Reason"), rows)


def _measures(look: Look, margins: Mapping[str, MeasurePlan]) -> Iterator[tuple[object, ...]]:
    for one in look.found:
        margin = margins[one.measure]
        wanted = threshold(margin)
        known = one.low is not None and one.high is not None
        yield (
            one.measure,
            f"{one.better_by:+.3g}" if known else "",
            f"{one.low:+.3g} and {one.high:+.3g}" if known else "too few cases",
            interval(one, wanted),
            f"above {wanted:+.3g}",
            one.count,
            verdict_text(one.verdict),
        )


def threshold(margin: MeasurePlan) -> float:
    """Above which difference a challenger has to be for certain."""
    return margin.margin if margin.goal == "better" else -margin.margin


def interval(found: Found, wanted: float, width: int = WIDTH) -> str:
    """The bounds as a line with the estimate in it, `|` where there is no difference, `:` what is wanted."""
    if found.low is None or found.high is None:
        return ""
    reach = max(abs(found.low), abs(found.high), abs(wanted)) or 1.0
    low, value, high, asked = (_column(one, reach, width) for one in (found.low, found.better_by, found.high, wanted))
    drawn = ["━" if low <= column <= high else " " for column in range(width)]
    drawn[width // 2] = "|"
    drawn[asked] = ":"
    drawn[value] = "●"
    return "".join(drawn)


def _column(value: float, reach: float, width: int) -> int:
    return round((value / reach + 1) / 2 * (width - 1))


def _coming(coming: Coming, utc: bool) -> Iterator[Text]:
    yield Text(f"Next look: {moment(coming.look, utc)}")
    if coming.share is not None and coming.since:
        yield Text(f"Next share: {coming.share} %, at the first look from {moment(coming.since, utc)} on")
    yield Text(f"Without a result by {moment(coming.until, utc)}, people decide", style="dim")
