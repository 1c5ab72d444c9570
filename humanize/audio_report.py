"""Telling in figures what rendering changed in a recording: of each trace, and of each instrument that was heard.

Conventions
-----------
As in ``midi_report``: ``n_changed``, ``mean`` and ``max`` of the change's size with its unit in the name, and
``n_limited``. An attack that several instruments share counts for each of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def changes_of(
    shift_s: np.ndarray, gain_db: np.ndarray, limited: np.ndarray, instrument: np.ndarray, attack: np.ndarray
) -> dict[str, Any]:
    """Return what was changed.

    Parameters
    ----------
    shift_s : ndarray [shape=(n,)], seconds
        By how much each attack moved.
    gain_db : ndarray [shape=(n,)], dB
    limited : ndarray of bool [shape=(n,)]
    instrument : ndarray of str [shape=(m,)]
        Of each note that has an attack; "" for a sound without a name.
    attack : ndarray of int64 [shape=(m,)]
        The attack of each note.

    Returns
    -------
    dict
        ``timing``, ``dynamics``, and ``drums``: a row for each instrument that something was changed on.
    """
    why = [f"{int(limited.sum())} x attacks may not cross or meet"] if limited.any() else []
    out: dict[str, Any] = {
        "timing": _sizes(1000.0 * shift_s, "ms") | {"n_limited": int(limited.sum()), "why": why},
        "dynamics": _sizes(gain_db, "db") | {"n_limited": 0, "why": []},
        "drums": [],
    }
    for name in np.unique(instrument[instrument != ""]).tolist():
        mine = np.unique(attack[instrument == name])
        row: dict[str, Any] = {
            "drum": str(name),
            "n_notes": len(mine),
            "timing": _sizes(1000.0 * shift_s[mine], "ms") | {"n_limited": int(limited[mine].sum())},
            "dynamics": _sizes(gain_db[mine], "db") | {"n_limited": 0},
        }
        if row["timing"]["n_changed"] or row["dynamics"]["n_changed"]:
            out["drums"].append(row)
    return out


def _sizes(change: np.ndarray, unit: str) -> dict[str, Any]:
    size = np.abs(change[change != 0.0])
    return {
        "n_changed": len(size),
        f"mean_{unit}": float(size.mean()) if len(size) else 0.0,
        f"max_{unit}": float(size.max()) if len(size) else 0.0,
    }
