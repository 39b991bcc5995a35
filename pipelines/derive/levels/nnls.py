"""Non-negative least squares for a handful of unknowns."""

from collections.abc import Sequence


def nnls(gram: Sequence[Sequence[float]], moment: Sequence[float]) -> list[float]:
    """Return the x >= 0 that makes |Ax - y|² least, given gram = AᵀA and moment = Aᵀy.

    Lawson and Hanson's active set: unknowns enter by the steepest gain and leave where they would turn negative. A column of
    zeros gets 0. Raises ValueError where the shapes do not fit.
    """
    size = len(moment)
    if len(gram) != size or any(len(row) != size for row in gram):
        raise ValueError(f"gram must be {size} x {size}")
    scale = [gram[i][i] ** 0.5 if gram[i][i] > 0 else 0.0 for i in range(size)]
    used = [i for i in range(size) if scale[i] > 0]
    g = [[gram[i][j] / (scale[i] * scale[j]) for j in used] for i in used]
    b = [moment[i] / scale[i] for i in used]
    found = [0.0] * size
    for i, value in zip(used, _active_set(g, b), strict=True):
        found[i] = value / scale[i]
    return found


def _active_set(g: list[list[float]], b: list[float]) -> list[float]:
    size, tiny = len(b), 1e-12 * max((abs(value) for value in b), default=0.0)
    x, passive = [0.0] * size, set[int]()
    for _ in range(3 * size + 10):
        gain = {i: b[i] - sum(g[i][j] * x[j] for j in range(size)) for i in range(size) if i not in passive}
        best = max(gain, key=lambda i: gain[i], default=None)
        if best is None or gain[best] <= tiny:
            break
        passive.add(best)
        while True:
            members = sorted(passive)
            solution = dict(zip(members, _solve([[g[i][j] for j in members] for i in members], [b[i] for i in members]),
                                strict=True))  # fmt: skip
            if all(value > 0 for value in solution.values()):
                x = [solution.get(i, 0.0) for i in range(size)]
                break
            step = min(x[i] / (x[i] - value) for i, value in solution.items() if value <= 0 and x[i] > value)
            x = [x[i] + step * (solution.get(i, 0.0) - x[i]) if i in passive else 0.0 for i in range(size)]
            passive = {i for i in passive if x[i] > 1e-15}
            x = [x[i] if i in passive else 0.0 for i in range(size)]
    return x


def _solve(a: list[list[float]], y: list[float]) -> list[float]:
    """Gaussian elimination with pivoting; a direction without weight of its own gets 0."""
    size = len(y)
    rows = [[*a[i], y[i]] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if abs(rows[i][i]) < 1e-12:
            rows[i][i:] = [1.0, *[0.0] * (size - i)]
        for r in range(i + 1, size):
            times = rows[r][i] / rows[i][i]
            rows[r] = [value - times * top for value, top in zip(rows[r], rows[i], strict=True)]
    x = [0.0] * size
    for i in reversed(range(size)):
        x[i] = (rows[i][size] - sum(rows[i][j] * x[j] for j in range(i + 1, size))) / rows[i][i]
    return x
