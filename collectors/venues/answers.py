"""What the headers of a REST answer ask for, in the forms that HTTP defines for every venue."""

from email.utils import parsedate_to_datetime

from collectors.venues.venue import Answer

LONGEST_STOP_S = 3 * 86400.0


def retry_after_s(answer: Answer, otherwise: float) -> float:
    """Return how many seconds `Retry-After` asks to wait, given in seconds or as a date; `otherwise` without one."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        wait = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - answer.received_s
    except (ValueError, OverflowError):
        return otherwise
    return min(max(wait, 1.0), LONGEST_STOP_S)


def excerpt(body: bytes, length: int = 200) -> str:
    """Return the start of a body as text for a log line or an event."""
    return body[: 4 * length].decode(errors="replace")[:length]
