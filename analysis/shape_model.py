"""How keyboard players shape a piece: tempo and level from beat to beat, as the arrays a profile plays from.

Conventions
-----------
Two channels a whole beat: ``tempo`` (log2 of its played over its written length, slower is positive) and ``level`` (the
local level in the middle of it, velocity). Of each take its mean is taken off and its size divided out: who plays with
much rubato does so at the same places as who plays with little. What is written around a beat
(``core.written_beats``) tells its mean and the size of what is left, by boosted tables that have not seen the piece;
what is left remembers the four beats before, both channels each other. What this does not tell is kept in the order
played and copied in stretches.

References
----------
Todd 1992, JASA 91 (tempo and loudness go together). Whittle 1963, Biometrika 50 (autoregression of several channels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.boosted_tables import BoostedTables
from ..core.deviations import Deviations
from ..core.memory_of_touch import history_of
from ..core.written_beats import BEAT_NAMES, N_BEAT_LIKE, beat_context, beat_likeness, whole_beats
from ..core.written_context import Links
from .boosting import Boosting, crossed_tables
from .dynamics import level_at
from .keyboard_model import drawn_in, piece_folds, played_of, tables_are_sound, within

CHANNELS = ("tempo", "level")
_FEWEST_BEATS = 16
_MOST_TAKES = 400
_MEAN = Boosting(rounds=80, depth=3, shrink=40.0)
_SIZE = Boosting(rounds=40, depth=2, shrink=60.0)
_SMALLEST, _REACH, _RIDGE = 0.2, 5.0, 30.0
# The memory fades at least so much a beat: a law fitted to few beats could else run away.
_LONGEST = 0.97
_LIMITS = {
    "take": (0.0, 32_767.0), "fresh": (-1e3, 1e3), "moment": (-1e3, 1e3), "like": (-1e3, 1e3), "memory": (-10.0, 10.0),
    "of_take": (-1e3, 1e3),
}  # fmt: skip
_TABLE_LIMITS = {"mean": (-1e3, 1e3), "size": (-20.0, 10.0)}
# A row of ``shape.of_take``: sizes of both channels, and the usual level.
_OF_TAKE = 3


def beats_of(deviations: Deviations) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (context, both channels) of a take's whole beats; None where it tells no tempo of its own."""
    if deviations.reference.get("timing_basis") != "tempo" or len(deviations.tempo) < _FEWEST_BEATS:
        return None
    played = played_of(deviations)
    if played is None or not len(deviations.level):
        return None
    beat = whole_beats(played.written)
    if not _FEWEST_BEATS <= len(beat) <= 100_000:
        return None
    basis, clock = deviations.basis, deviations.reference_timeline
    period = np.log2(np.diff(basis.seconds_at(np.append(beat, beat[-1] + 1.0))))
    period -= np.log2(np.diff(clock.seconds_at(np.append(beat, beat[-1] + 1.0))))
    level = level_at(deviations.level, basis.seconds_at(beat + 0.5))
    return beat_context(played.written, beat), np.stack([period, level], axis=1)


def shape_arrays(takes: Sequence[Deviations], seed: int = 0) -> dict[str, np.ndarray]:
    """Return the arrays of tempo and level, names beginning with ``shape.``; empty where no take tells its tempo.

    Parameters
    ----------
    takes : sequence of Deviations
    seed : int
        Of the random halves that tables are fitted on.
    """
    step = max(1, -(-len(takes) // _MOST_TAKES))
    found = {i: told for i in range(0, len(takes), step) if (told := beats_of(takes[i])) is not None}
    if not found:
        return {}
    take = np.repeat(list(found), [len(y) for _, y in found.values()])
    x = np.concatenate([context for context, _ in found.values()])
    of_take = np.zeros((max(found) + 1, _OF_TAKE))
    z = []
    for number, (_, y) in found.items():
        away = np.stack([drawn_in(column - column.mean(), _REACH) for column in y.T], axis=1)
        size = np.maximum(np.sqrt(np.mean(away**2, axis=0)), (1e-3, 0.1))
        of_take[number] = [*size, y[:, 1].mean()]
        z.append(away / size)
    left = np.concatenate(z)
    fold = piece_folds(takes, take)
    rng = np.random.default_rng([seed, 9])
    used = np.ones(len(left), dtype=bool)
    arrays: dict[str, np.ndarray] = {}
    for c, name in enumerate(CHANNELS):
        mean, expected = crossed_tables(x, left[:, c], fold, used, _MEAN, rng)
        rest = left[:, c] - expected
        usual = max(float(np.sqrt(np.mean(rest**2))), 1e-6)
        tables, log_size = crossed_tables(x, np.log(np.abs(rest) / usual + _SMALLEST), fold, used, _SIZE, rng)
        again = usual * float(np.sqrt(np.mean((rest / (usual * np.exp(log_size))) ** 2)))
        tables = BoostedTables(tables.mean + np.log(max(again, 1e-6)), tables.column, tables.threshold, tables.value)
        left[:, c] = rest / (max(again, 1e-6) * np.exp(log_size))
        arrays |= mean.to_arrays(f"shape.{name}.mean") | tables.to_arrays(f"shape.{name}.size")
    weights, fresh = _memory(left, take)
    return arrays | {
        "shape.memory": weights.astype(np.float32),
        "shape.take": take.astype(np.int16),
        "shape.fresh": fresh.astype(np.float32),
        "shape.moment": left.astype(np.float32),
        "shape.like": beat_likeness(x).astype(np.float16),
        "shape.of_take": of_take.astype(np.float32),
    }


def shape_words(arrays: Mapping[str, np.ndarray]) -> str:
    """Say what the invented tempo and level stand on."""
    if not arrays:
        return "none: no take tells a tempo of its own over 16 beats"
    takes = len(np.unique(arrays["shape.take"]))
    said = f"{len(arrays['shape.take'])} beats in {takes} take{'s' * (takes != 1)}"
    missing = [name for name in CHANNELS if not len(arrays[f"shape.{name}.mean.value"])]
    return said + (f"; what is written does not tell the {' and the '.join(missing)} here" if missing else "")


def alone(n: int) -> tuple[Links, np.ndarray]:
    """Return the links of ``n`` beats that have no lines and no chords, and their numbers."""
    none, number = np.full(n, -1, dtype=np.int64), np.arange(n, dtype=np.int64)
    return Links(none, none, none, number, np.ones(n, dtype=np.int64)), number


def _memory(left: np.ndarray, take: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (weights of the four beats before [3, 16, 2], what they do not tell)."""
    c = left.shape[1]
    before = np.concatenate([history_of(left[rows], *alone(int(rows.sum()))) for rows in _rows_of_each(take)])
    lags = slice(3 * c, 7 * c)
    a = before[:, lags]
    law = np.linalg.solve(a.T @ a + _RIDGE * np.eye(4 * c), a.T @ left)
    # A law whose echoes would grow is brought down: a factor g a beat on every lag scales all its roots by g.
    turn = np.zeros((4 * c, 4 * c))
    turn[:c] = law.T
    turn[c:, : 3 * c] = np.eye(3 * c)
    root = float(np.abs(np.linalg.eigvals(turn)).max())
    if root > _LONGEST:
        law *= np.repeat((_LONGEST / root) ** np.arange(1, 5), c)[:, None]
    weights = np.zeros((3, before.shape[1], c))
    weights[:, lags] = law
    return weights, left - a @ law


def _rows_of_each(take: np.ndarray) -> list[np.ndarray]:
    return [take == number for number in np.unique(take)]


def shapes_are_sound(arrays: Mapping[str, np.ndarray]) -> bool:
    """Tell whether the ``shape.`` arrays of a profile from anywhere fit together and lie within their limits."""
    found = {name: np.asarray(arrays.get(f"shape.{name}", ())) for name in _LIMITS}
    for name, limits in _LIMITS.items():
        if not found[name].size or not within(found[name], limits, "iu" if name == "take" else "f"):
            return False
    take, c = found["take"].astype(np.int64), len(CHANNELS)
    k = take.size
    shapes = {
        "take": (k,), "fresh": (k, c), "moment": (k, c), "like": (k, N_BEAT_LIKE), "memory": (3, 8 * c, c),
        "of_take": (int(take.max()) + 1, _OF_TAKE),
    }  # fmt: skip
    if any(found[name].shape != shape for name, shape in shapes.items()) or (np.diff(take) < 0).any():
        return False
    return all(
        tables_are_sound(arrays, f"shape.{a}.{b}", limits, len(BEAT_NAMES))
        for a in CHANNELS
        for b, limits in _TABLE_LIMITS.items()
    )
