"""Delivers an alert: by apprise, or as JSON to a webhook, signed with HMAC."""

import hashlib
import hmac
import json
import time
from typing import Any

import apprise
import httpx

from pipelines.alerts.outbox import Alert
from pipelines.alerts.rules import Target

TIMEOUT_S = 15.0
FIRST_S, TIMES, MOST_S = 5.0, 3.0, 3600.0
GIVE_UP_S = 24 * 3600.0
"""An alert that could not be delivered for so long is given up."""


def deliver(target: Target, alert: Alert) -> str:
    """Deliver an alert; return what went wrong, empty: it arrived. Names no address, as it may hold a secret."""
    if target.webhook:
        return _post(target, alert)
    assert target.url
    told = apprise.Apprise()
    told.add(target.url.get_secret_value())
    is_told = told.notify(title=alert.title, body=alert.text or alert.title)
    return "" if is_told else "apprise could not deliver it"


def pause_s(tries: int) -> float:
    """Return how long to wait after so many tries: 5 s, 15 s, 45 s, … at most an hour."""
    return float(min(FIRST_S * TIMES ** (tries - 1), MOST_S))


def body(alert: Alert) -> bytes:
    """Return what a webhook gets."""
    told: dict[str, Any] = alert._asdict() | {"ts": f"{alert.ts}Z", "row": json.loads(alert.row)}
    return json.dumps(told, separators=(",", ":")).encode()


def signature(secret: str, timestamp: str, sent: bytes) -> str:
    """Return the header Liq-Signature: HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + sent, hashlib.sha256).hexdigest()


def _post(target: Target, alert: Alert) -> str:
    assert target.webhook
    assert target.secret
    sent, timestamp = body(alert), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "Liq-Alert": alert.id,
        "Liq-Timestamp": timestamp,
        "Liq-Signature": signature(target.secret.get_secret_value(), timestamp, sent),
    }
    try:
        answer = httpx.post(target.webhook.get_secret_value(), content=sent, headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return "" if answer.is_success else f"HTTP {answer.status_code}"
