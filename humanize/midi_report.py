"""Telling in figures and words what rendering changed, and what it could not do as asked.

Conventions
-----------
Per trace: ``n_changed``, ``mean`` and ``max`` of the change's size with its unit in the name, ``n_limited`` and
``why``, a list of phrases. Timing counts from where the tempo alone would put a note. ``tracks`` and ``drums`` tell the
same of each track and of each instrument of the kit that something was changed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.deviations import Deviations
from ..core.smf import Smf
from .midi_limits import REASONS
from .tempo import TickClock

if TYPE_CHECKING:
    from .render_midi import Laid, Plan

COARSE_TICK_S = 0.002  # seconds; a longer tick rounds away what timing is made of


def seconds_of(clocks: dict[int | None, TickClock], track: np.ndarray, tick: np.ndarray) -> np.ndarray:
    """Return the time of each tick on its track's clock, seconds; key None is the clock of all tracks."""
    if None in clocks:
        return clocks[None].seconds_at(tick)
    out = np.empty(len(tick))
    for t in np.unique(track).tolist():
        out[track == t] = clocks[t].seconds_at(tick[track == t])
    return out


def _sizes(change: np.ndarray, unit: str) -> dict[str, Any]:
    size = np.abs(change[change != 0])
    return {
        "n_changed": len(size),
        f"mean_{unit}": float(size.mean()) if len(size) else 0.0,
        f"max_{unit}": float(size.max()) if len(size) else 0.0,
    }


def _why(reason: np.ndarray) -> list[str]:
    return [f"{int((reason == k).sum())} x {REASONS[k]}" for k in range(1, len(REASONS)) if (reason == k).any()]


def _shares(
    names: list[dict[str, Any]], group: np.ndarray, changes: dict[str, tuple[np.ndarray, np.ndarray, str]]
) -> list[dict[str, Any]]:
    """Return a row a group of notes: how many of them a trace changed, by how much, and how many were limited.

    Parameters
    ----------
    names : list of dict
        What each group is called.
    group : ndarray of int64 [shape=(n,)], -1 for notes of none
    changes : dict
        By trace the change [shape=(n,)], whether it was limited [shape=(n,)], and its unit.
    """
    mine = group >= 0
    code, k = group[mine], len(names)
    rows = [{**name, "n_notes": int(n)} for name, n in zip(names, np.bincount(code, minlength=k), strict=True)]
    touched = np.zeros(k, np.bool_)
    for trace, (change, limited, unit) in changes.items():
        size = np.abs(change[mine])
        count = np.bincount(code, size > 0.0, minlength=k)
        total, held = np.bincount(code, size, minlength=k), np.bincount(code, limited[mine], minlength=k)
        largest = np.zeros(k)
        np.maximum.at(largest, code, size)
        touched |= count > 0
        for i, row in enumerate(rows):
            mean = float(total[i] / count[i]) if count[i] else 0.0
            row[trace] = {"n_changed": int(count[i]), f"mean_{unit}": mean, f"max_{unit}": float(largest[i])}
            row[trace]["n_limited"] = int(held[i])
    return [row for row, there in zip(rows, touched.tolist(), strict=True) if there]


def _by_track_and_drum(
    smf: Smf, plan: Plan, there: np.ndarray, changes: dict[str, tuple[np.ndarray, np.ndarray, str]]
) -> dict[str, Any]:
    notes = plan.notes
    titles = smf.track_names()
    numbers, group = np.unique(notes.track[there], return_inverse=True)
    tracks = [{"track": t, "name": titles[t]} for t in numbers.tolist()]
    names, sound = np.unique(notes.instrument[there], return_inverse=True)
    drums = [{"drum": str(name)} for name in names]
    sound = np.where(notes.instrument[there] == "", -1, sound)
    return {"tracks": _shares(tracks, group, changes), "drums": _shares(drums, sound, changes)}


def report_of(
    smf: Smf,
    plan: Plan,
    deviations: Deviations,
    laid: Laid,
    clocks: dict[int | None, TickClock],
    home: np.ndarray,
    tempo_edit: tuple[np.ndarray, np.ndarray] | None,
) -> dict[str, Any]:
    """Return the report of a rendering; see the module's Conventions."""
    notes, events = plan.notes, smf.events
    on, off, track = notes.on_event, notes.off_event, notes.track
    there = ~laid.drop[on]
    on, off, track = on[there], off[there], track[there]
    timing_ms = 1000.0 * (seconds_of(clocks, track, laid.tick[on]) - seconds_of(clocks, track, home[on]))
    ended = off >= 0
    shift = laid.tick[on] - home[on]
    longer = (laid.tick[off] - home[off] - shift)[ended]
    length_ms = 1000.0 * (
        seconds_of(clocks, track[ended], laid.tick[on[ended]] + (home[off] - home[on])[ended] + longer)
        - seconds_of(clocks, track[ended], laid.tick[on[ended]] + (home[off] - home[on])[ended])
    )
    on_reason, off_reason = laid.reason[on], laid.reason[off[ended]]
    velocity = (laid.velocity - events.data2)[on]
    controls = (events.status < 0xF0) & ~events.is_note_on & ~events.is_note_off
    n_added = int((laid.placed.on_tick >= 0).sum())
    n_left_out = int((laid.placed.on_tick < 0).sum())
    last = int(max(laid.tick.max(initial=0), home.max(initial=0)))
    report: dict[str, Any] = {
        "n_notes": len(notes),
        "n_tracks_changed": len(
            np.unique(events.track[(laid.tick != events.tick) | (laid.velocity != events.data2) | laid.drop])
        ),
        "tick_ms": 1000.0 * max(clock.longest_tick_s(last) for clock in clocks.values()),
        "timing": _sizes(timing_ms, "ms") | {"n_limited": int((on_reason > 0).sum()), "why": _why(on_reason)},
        "articulation": _sizes(length_ms, "ms") | {"n_limited": int((off_reason > 0).sum()), "why": _why(off_reason)},
        "dynamics": _sizes(velocity.astype(np.float64), "velocity")
        | {
            "n_limited": int(laid.velocity_limited.sum()),
            "why": [f"{int(laid.velocity_limited.sum())} x velocities lie between 1 and 127"]
            if laid.velocity_limited.any()
            else [],
        },
        "slips": {
            "n_changed": len(plan.d) + n_added,
            "n_deleted": len(plan.d),
            "n_added": n_added,
            "n_limited": n_left_out,
            "why": [f"{n_left_out} x an added note found its key sounding or no time before its next note"]
            if n_left_out
            else [],
        },
        "coupled": {"n_changed": int((controls & (laid.tick != home)).sum())},
        "tempo": {"n_changed": 0, "n_limited": 0, "why": []},
    }
    held_off, longer_ms = np.zeros(len(on), np.bool_), np.zeros(len(on))
    held_off[ended], longer_ms[ended] = off_reason > 0, length_ms
    loud_held = np.zeros(len(notes), np.bool_)
    loud_held[plan.m] = laid.velocity_limited
    changes = {
        "timing": (timing_ms, on_reason > 0, "ms"),
        "dynamics": (velocity.astype(np.float64), loud_held[there], "velocity"),
        "articulation": (longer_ms, held_off, "ms"),
    }
    report |= _by_track_and_drum(smf, plan, there, changes)
    if tempo_edit is not None:
        bpm = 60e6 / tempo_edit[1]
        report["tempo"] |= {"n_changed": len(bpm), "low_bpm": float(bpm.min()), "high_bpm": float(bpm.max())}
    elif (home != events.tick).any():
        report["tempo"]["n_changed"] = int((home != events.tick).sum())
    return report


def warnings_of(report: dict[str, Any]) -> list[str]:
    """Return what of a report deserves a warning, in words."""
    said = []
    if report["tick_ms"] > 1000.0 * COARSE_TICK_S:
        said.append(
            f"one tick of this file lasts up to {report['tick_ms']:.3g} ms, so notes are placed to "
            f"{report['tick_ms'] / 2:.3g} ms: a finer division would keep more of the timing"
        )
    if any("tick 0" in reason for reason in report["timing"]["why"]):
        said.append("some notes would come before the file begins and start at tick 0 instead")
    if report["slips"]["n_limited"]:
        said.append(f"{report['slips']['n_limited']} added notes found no room and are left out")
    return said
