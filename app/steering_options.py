"""The options of ``humanize`` that steer what is played, and what they mean as ``Controls``.

Conventions
-----------
Only ``argparse`` is needed to offer them. Which notes are meant is written as ``humanize.where`` tells; a value follows
the last colon. Milliseconds; late is positive.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

from ..core.errors import TakeprintError

_SYNTAX = """WHERE names notes: track=, channel=, drum=, bars=A-B, beat= and pitch= between
commas, a drum's or a track's name alone, or all. PLACE is a beat of the bar
(1, 2&, 4e, 2.5) or a place of every beat (&, e, a). All amounts multiply."""


def add_steering(command: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    group = command.add_argument_group("control", _SYNTAX)
    group.add_argument(
        "--tight", action="append", default=[], metavar="PLACE:A", help="amount of timing at this place in the bar"
    )
    group.add_argument("--nail-the-one", action="store_true", help="every bar's one exactly in time: --tight 1:0")
    group.add_argument("--push", type=_ms, metavar="MS", help="everything so much earlier")
    group.add_argument("--drag", type=_ms, metavar="MS", help="everything so much later")
    group.add_argument("--late", action="append", default=[], metavar="WHERE:MS", help="these notes so much later")
    group.add_argument("--early", action="append", default=[], metavar="WHERE:MS", help="these notes so much earlier")
    group.add_argument(
        "--swing",
        default="keep",
        metavar="keep|R[:8|16]",
        help="put the written off-beats of eighths (or sixteenths) at this share of the way: 0.5 straight, "
        "0.67 triplets, to 0.75 (default: keep them)",
    )
    group.add_argument(
        "--set",
        action="append",
        nargs="+",
        default=[],
        dest="set_amounts",
        metavar=("WHERE", "TRACE=A"),
        help="amounts for some notes: amount, timing, dynamics, articulation, slips; of bars also tempo",
    )
    group.add_argument(
        "--protect", action="append", default=[], metavar="WHERE", help="these notes stay exactly as they are written"
    )
    group.add_argument(
        "--ensemble", type=float, metavar="A", help="how closely the parts listen to each other (default 1; 0: alone)"
    )
    group.add_argument("--leader", metavar="WHERE", help="the part that the others follow")
    group.add_argument("--slip-rate", type=float, metavar="R", help="slips in 100 notes (default none)")


def _ms(said: str) -> float:
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{said!r} is no number of milliseconds")
    return value


def controls_asked(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options as keywords of ``Controls``, in plain values that JSON can hold.

    Raises
    ------
    TakeprintError
        For an option that cannot be read or a value out of its limits.
    """
    from ..humanize import Controls

    out: dict[str, Any] = {}
    tight = [_parted("--tight", said, "PLACE:AMOUNT, as in 1:0.2") for said in args.tight]
    if args.nail_the_one:
        tight.append(("1", 0.0))
    if tight:
        out["tight"] = {}
        for places, value in tight:
            for place in places.split(","):
                # Two amounts for one place multiply, as all amounts do.
                out["tight"][place.strip()] = out["tight"].get(place.strip(), 1.0) * value
    bias: dict[str, float] = {}
    for where, value in _biases(args):
        bias[where] = bias.get(where, 0.0) + value
    if bias:
        out["bias_ms"] = bias
    if args.swing != "keep":
        ratio, _, unit = args.swing.partition(":")
        out["swing"] = _float("--swing", ratio, "keep, or a share from 0.5 to 0.75, as in 0.62 or 0.58:16")
        if unit:
            out["swing_unit"] = int(unit) if unit in ("8", "16") else unit
    if args.set_amounts:
        out["amounts"] = [_amounts(said) for said in args.set_amounts]
    if args.protect:
        out["protect"] = list(args.protect)
    if args.ensemble is not None:
        out["ensemble"] = args.ensemble
    if args.leader is not None:
        out["leader"] = args.leader
    if args.slip_rate is not None:
        out["slips_per_100"] = args.slip_rate
    Controls(**out)
    return out


def _biases(args: argparse.Namespace) -> list[tuple[str, float]]:
    out = []
    if args.push is not None:
        out.append(("all", -args.push))
    if args.drag is not None:
        out.append(("all", args.drag))
    out += [_parted("--late", said, "WHERE:MS, as in snare:8") for said in args.late]
    return out + [(w, -v) for w, v in (_parted("--early", said, "WHERE:MS, as in hat:3") for said in args.early)]


def _parted(option: str, said: str, rule: str) -> tuple[str, float]:
    place, colon, value = said.rpartition(":")
    if not colon:
        raise TakeprintError(f"{option} {said}", rule=f"{option} takes {rule}")
    return place.strip(), _float(option, value, rule)


def _float(option: str, said: str, rule: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise TakeprintError(f"{option} {said}", rule=f"{option} takes {rule}") from None


def _amounts(said: list[str]) -> tuple[str, dict[str, float]]:
    rule = "WHERE TRACE=AMOUNT ..., as in drum=snare dynamics=1.2"
    values: dict[str, float] = {}
    for item in said[1:]:
        name, equals, value = item.partition("=")
        if not equals:
            raise TakeprintError(
                f"--set {' '.join(said)}: {item!r} is no amount",
                rule=f"--set takes {rule}",
                remedy="write the input before --set, or -- between them",
            )
        values[name.strip().casefold()] = _float("--set", value, rule)
    if not values:
        raise TakeprintError(f"--set {' '.join(said)}", rule=f"--set takes {rule}")
    return said[0], values
