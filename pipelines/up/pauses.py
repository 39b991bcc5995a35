"""How long to wait before something that ended is started again."""

RESTART_AFTER_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 60.0


class Pauses:
    """The pauses between the lives of one part: short after a long life, longer and longer in a crash loop."""

    def __init__(self) -> None:
        self.short_lives = 0

    def after(self, lived_s: float) -> float:
        """Return the pause, seconds, after a life of `lived_s` seconds."""
        self.short_lives = 0 if lived_s > STEADY_S else self.short_lives + 1
        return RESTART_AFTER_S[min(max(self.short_lives - 1, 0), len(RESTART_AFTER_S) - 1)]
