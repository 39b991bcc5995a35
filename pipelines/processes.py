"""Child processes that end with their parent."""

import ctypes
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(sign: int) -> None:
    """Have Linux send this process the signal when its parent is gone, however that went. Elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sign)
