"""Alerts for Alertmanager, by its API v2. It knows itself which alerts of ours fire: nothing is remembered here."""

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from activities.adapters.outbound_http import OutboundHttp
from models.alerts import NAME, Alert, StandingBreach, alert_of
from models.errors import UnavailableError


class _Firing(BaseModel):
    labels: dict[str, str]
    annotations: dict[str, str]
    starts: AwareDatetime = Field(alias="startsAt")
    ends: AwareDatetime = Field(alias="endsAt")


_FIRING = TypeAdapter(list[_Firing])


class AlertmanagerNotifier:
    """Fits `Alarms`. `source` names this installation, whose alerts alone are looked at; `token` is a bearer's."""

    def __init__(
        self,
        http: OutboundHttp,
        url: str,
        source: str,
        token: Callable[[], str] | None = None,
        runbook: str | None = None,
    ) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._source = source
        self._token = token
        self._runbook = runbook

    def firing(self) -> Sequence[Alert]:
        """Those of ours, silenced ones too; UnavailableError, InvalidInputError."""
        wanted = [("filter", f'alertname="{NAME}"'), ("filter", f'source="{_quoted(self._source)}"')]
        answer = self._http.send("GET", f"{self._url}?{urlencode(wanted)}", self._headers(), plain=self._plain)
        try:
            found = _FIRING.validate_json(answer.content)
        except ValidationError:
            raise UnavailableError("Alertmanager answers something else than it should") from None
        return [Alert(one.labels, one.annotations, one.starts, one.ends) for one in found]

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Have these fire, or end, by their times; UnavailableError, InvalidInputError."""
        if alerts:
            content = _FIRING.dump_json([_said(one) for one in alerts], by_alias=True)
            self._http.send("POST", self._url, self._headers(), content, plain=self._plain)

    def alert(self, breach: StandingBreach, at: datetime) -> Alert:
        """The alert of a breach."""
        return alert_of(breach, self._source, at, self._runbook)

    @property
    def _plain(self) -> bool:
        return self._token is None

    def _headers(self) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self._token()}"} if self._token else {}
        return {"Content-Type": "application/json", **bearer}


def _said(alert: Alert) -> _Firing:
    return _Firing(
        labels=dict(alert.labels), annotations=dict(alert.annotations), startsAt=alert.starts, endsAt=alert.ends
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
