"""How old a map is, in words. `levels_reach` says FRESH or STALE by `levels_limits`; whatever shows a map says it too."""

STALE = "STALE"


def aged(age_s: float) -> str:
    """Return an age for a person: 40 s, 12 min, 3 h 5 min, 2 d 4 h."""
    seconds = int(age_s)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


def stale(age_s: float, price_age_s: float | None) -> str:
    """Return what makes a map STALE: its own age, or that of the newest price of its coin (None: no price is known)."""
    price = "no price is known since" if price_age_s is None else f"the newest price is {aged(price_age_s)} old"
    return f"the map is {aged(age_s)} old, {price}"
