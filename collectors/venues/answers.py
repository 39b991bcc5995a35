"""What a REST answer asks for by its status and headers, in the forms that HTTP defines for every venue."""

from email.utils import parsedate_to_datetime

from collectors.venues.venue import Answer, Refusal

LONGEST_STOP_S = 3 * 86400.0
FORBIDDEN_S = 300.0


def retry_after_s(answer: Answer, otherwise: float) -> float:
    """Return how many seconds `Retry-After` asks to wait, given in seconds or as a date; `otherwise` without one."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        wait = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - answer.received_s
    except (ValueError, OverflowError):
        return otherwise
    return min(max(wait, 1.0), LONGEST_STOP_S)


def refused(answer: Answer, pause_s: float, *, is_too_many: bool = False, is_bad: bool = False) -> Refusal | None:
    """Return why an answer is no data, None for one that is: by its status, or by what the venue says in it.

    Too many requests (429, or `is_too_many`): a stop of `pause_s`; a firewall's 403: of `FORBIDDEN_S`; `Retry-After` wins.
    `is_bad`: an error in an answer of status 200.
    """
    reason = f"HTTP {answer.status}: {excerpt(answer.body)}"
    if answer.status == 429 or is_too_many:
        return Refusal(reason, retry_after_s(answer, pause_s))
    if answer.status == 403:
        return Refusal(reason, retry_after_s(answer, FORBIDDEN_S))
    return Refusal(reason) if answer.status != 200 or is_bad else None


def excerpt(body: bytes, length: int = 200) -> str:
    """Return the start of a body as text for a log line or an event."""
    return body[: 4 * length].decode(errors="replace")[:length]
