"""How exact our measuring is, beside every peer that is installed.

    python benchmarks/accuracy [topic ...] [--peers] [--fold 0|1] [--seed N] [--seeds N]
        [--sets NAME,NAME] [--extras]

Topics are the files of this folder that have a ``run(peers)``: onsets, real, beats, pitch, dynamics, breath,
friction, alignment, tempo_curves, slips, tempo_planted, recordings, score_sound. Without one all are run. A peer that
is not installed is left out, and said so.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

TOPICS = (
    "onsets", "real", "beats", "pitch", "dynamics", "breath", "friction", "alignment", "tempo_curves", "slips",
    "tempo_planted", "warps", "recordings", "score_sound", "law",
)  # fmt: skip


def main() -> None:
    here = Path(__file__).resolve().parent
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    from settings import SETTINGS

    there = [t for t in TOPICS if (here / f"{t}.py").exists()]
    said = argparse.ArgumentParser("python benchmarks/accuracy", description=__doc__.splitlines()[0])
    said.add_argument("topics", nargs="*", metavar="topic", help=f"of {', '.join(there)}")
    said.add_argument("--peers", action="store_true", help="measure the installed peers too")
    said.add_argument("--fold", type=int, choices=(0, 1), default=1, help="half of the data; 1 is not tuned on")
    said.add_argument("--seed", type=int, default=0)
    said.add_argument("--seeds", type=int, default=1, metavar="N", help="pool sets of N seeds from that one on")
    said.add_argument("--sets", default="", help="names of sets, by commas")
    said.add_argument("--extras", action="store_true", help="every set live, bleeding, at other rates")
    chosen = said.parse_args()
    unknown = [t for t in chosen.topics if t not in there]
    if unknown:
        said.error(f"no topic {', '.join(unknown)}; there are {', '.join(there)}")
    SETTINGS.fold, SETTINGS.extras = chosen.fold, chosen.extras
    SETTINGS.seed, SETTINGS.seeds = chosen.seed, max(chosen.seeds, 1)
    SETTINGS.only = [s for s in chosen.sets.split(",") if s]
    for topic in chosen.topics or there:
        print(f"\n== {topic} ==", flush=True)
        importlib.import_module(topic).run(chosen.peers)


if __name__ == "__main__":
    main()
