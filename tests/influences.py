"""What rows move a loss by, in NumPy: u = g′(m)·w(ℓ − m)/Σw for L = g(Σwℓ/Σw), and standard errors made of that."""

import numpy as np


def influence(losses, weight, reduction):
    """The reported number, and what each row moves it by."""
    if reduction == "sum":
        value = weight * losses
        return value.sum(), value - value.mean()
    whole = weight.sum()
    mean = (weight * losses).sum() / whole
    moved = weight * (losses - mean) / whole
    return (np.sqrt(mean), moved / (2 * np.sqrt(mean))) if reduction == "root-mean" else (mean, moved)


def units(moved, cluster=None):
    """What moves by itself: rows, or the sums over clusters."""
    return moved if cluster is None else np.array([moved[cluster == name].sum() for name in np.unique(cluster)])


def standard_error(moved, cluster=None):
    """Of rows that move by themselves, or of clusters that do."""
    moved = units(moved, cluster)
    return np.sqrt(len(moved) / (len(moved) - 1) * np.sum(moved**2))


def top_share(moved, cluster=None):
    """The most that one row or cluster carries of the sum of squares."""
    squares = units(moved, cluster) ** 2
    return squares.max() / squares.sum()


def long_run_error(moved, lags):
    """Of rows that are a series: Bartlett's weights, and the factor of Harvey, Leybourne & Newbold for h = lags + 1."""
    n, h = len(moved), lags + 1
    variance = moved @ moved + 2 * sum((1 - k / h) * (moved[k:] @ moved[:-k]) for k in range(1, h))
    return np.sqrt(variance * n / (n + 1 - 2 * h + h * (h - 1) / n))
