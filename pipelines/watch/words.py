"""Numbers, ages and shares as a person reads them: three or four digits, the unit beside them."""

SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
NOTHING = "–"


def usd(amount: float | None) -> str:
    """Return an amount of US dollars in at most four digits: 73.2 M, 812 k, 950."""
    if amount is None:
        return NOTHING
    for size, letter in SCALES:
        if abs(amount) >= size * 0.99995:
            return f"{_digits(amount / size)} {letter}"
    return f"{amount:.0f}"


def at_least(amount: float | None, is_lower_bound: bool | None) -> str:
    """Return the amount, with ≥ where it is at least so much and ? where that is not known."""
    if amount is None:
        return NOTHING
    return {True: "≥ ", False: "", None: "? "}[is_lower_bound] + usd(amount)


def price(value: float | None) -> str:
    """Return a price in five digits: 58,593, 2.3071, 0.000012345."""
    if value is None:
        return NOTHING
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.5g}" if abs(value) >= 1e-4 else f"{value:.8f}"


def share(part: float | None) -> str:
    """Return a share as percent: 96 %, 0.4 %."""
    if part is None:
        return NOTHING
    percent = 100 * part
    return f"{percent:.1f} %" if 0 < abs(percent) < 9.95 else f"{percent:.0f} %"


def change(part: float | None) -> str:
    """Return a move as percent with its arrow: ▲ 1.2 %."""
    if part is None:
        return NOTHING
    return f"{'▲' if part > 0 else '▼' if part < 0 else '='} {abs(100 * part):.1f} %"


def age(seconds: float | None) -> str:
    """Return a time in one unit: 0.4 s, 12 s, 3 min, 2 h, 5 d."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 5970:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} d"


def heard(coverage: float | None, hours: float) -> str:
    """Return how much of the last hours was heard: all, 42 min, ? where it is not measured."""
    if coverage is None:
        return "?"
    return "all" if coverage > 0.9999 else age(coverage * hours * 3600)


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"
