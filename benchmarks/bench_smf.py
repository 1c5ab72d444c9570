"""Decode and encode Standard MIDI Files in memory: ratios against mido and symusic in one run.

    python benchmarks/bench_smf.py [DATA_FOLDER]

Files of 10 kB and more below DATA_FOLDER (default: TAKEPRINT_DATA or ../shared/data beside the repository), at most
12 a folder. Encoding means every track written anew, event by event, after every tick has been moved by one: copying
an unchanged file, as Takeprint really does, is not counted. Each figure is the best
of 20 rounds (mido: of 3).
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import symusic

from takeprint.core.errors import TakeprintError
from takeprint.core.smf import Smf, read_smf

MIN_BYTES = 10_000
PER_FOLDER = 12


def files_below(folder: Path) -> list[Path]:
    """Return the benchmark's files, the first few of each folder."""
    kept: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".mid", ".midi") and path.is_file() and path.stat().st_size >= MIN_BYTES:
            kept.setdefault(path.relative_to(folder).parents[-2], []).append(path)
    return [p for paths in kept.values() for p in paths[:: max(1, len(paths) // PER_FOLDER)][:PER_FOLDER]]


def best_ms(work: Callable[[], object], rounds: int) -> float:
    """Return the shortest time of some rounds, milliseconds."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1e3 * min(times)


def encode_all(smf: Smf) -> bytes:
    """Write every track anew."""
    return smf.edited_bytes(tick=smf.events.tick + 1)


def mido_encode(file: mido.MidiFile) -> bytes:
    """Write with mido."""
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def main() -> None:
    """Print the table."""
    said = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else Path(__file__).resolve().parents[2] / "shared" / "data"
    rows = []
    for path in files_below(folder):
        data = path.read_bytes()
        try:
            smf = read_smf(data)
            theirs = mido.MidiFile(file=io.BytesIO(data))
            score = symusic.Score.from_midi(data)
        except (TakeprintError, ValueError, OSError, EOFError, IndexError, KeyError, RuntimeError) as error:
            print(f"left out: {path.name}: {error}")
            continue
        rows.append(
            (
                len(data),
                len(smf.events),
                best_ms(lambda d=data: read_smf(d), 20),
                best_ms(lambda s=smf: encode_all(s), 20),
                best_ms(lambda d=data: mido.MidiFile(file=io.BytesIO(d)), 3),
                best_ms(lambda f=theirs: mido_encode(f), 3),
                best_ms(lambda d=data: symusic.Score.from_midi(d), 20),
                best_ms(lambda s=score: s.dumps_midi(), 20),
            )
        )
    if not rows:
        raise SystemExit(f"no MIDI file of {MIN_BYTES} bytes or more below {folder}")
    table = np.array(rows)
    print(f"{len(rows)} files, {table[:, 0].sum() / 1e3:.0f} kB, {int(table[:, 1].sum())} events; milliseconds in all")
    print(f"{'':14}{'takeprint':>12}{'mido':>12}{'symusic':>12}{'mido / we':>12}{'we / symusic':>14}")
    sums = table[:, 2:].sum(axis=0)
    for name, (we, they, fast) in (
        ("decode", (sums[0], sums[2], sums[4])),
        ("encode", (sums[1], sums[3], sums[5])),
        ("both", (sums[0] + sums[1], sums[2] + sums[3], sums[4] + sums[5])),
    ):
        print(f"{name:14}{we:12.2f}{they:12.2f}{fast:12.2f}{they / we:12.1f}{we / fast:14.2f}")
    we, they, fast = (table[:, [2 + 2 * k, 3 + 2 * k]].sum(axis=1) for k in range(3))
    slower, ratio = they / we, we / fast
    print(f"median of the files (both): mido / we {np.median(slower):.1f}, we / symusic {np.median(ratio):.2f}")
    print(f"worst of the files (both):  mido / we {slower.min():.1f}, we / symusic {ratio.max():.2f}")
    print("targets: mido / we >= 50, we / symusic <= 1.5")


if __name__ == "__main__":
    main()
