"""How well our players' takes can be told from people's, beside the market's, the literature's and people's own.

    python benchmarks/realism TOPIC [options]      topics: drums, piano, ensemble; options: TOPIC --help

G fits the player, A trains the judge, B is judged; no take is in two of them (`splits`). Exit code 1: a guard failed,
so that the figures of this run say nothing.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

TOPICS = ("drums", "piano", "ensemble")


def main(arguments: list[str]) -> int:
    """Hand the arguments to a topic's `options` and `run`."""
    here = Path(__file__).resolve().parent
    # The folder itself would hide modules of the standard library; its parent makes it a package.
    sys.path[:] = [str(here.parent), *(p for p in sys.path if Path(p or ".").resolve() != here)]
    there = [topic for topic in TOPICS if (here / f"{topic}.py").exists()]
    said = argparse.ArgumentParser("python benchmarks/realism", description=__doc__.splitlines()[0])
    parts = said.add_subparsers(dest="topic", metavar="topic", required=True)
    modules = {}
    asked = next((a for a in arguments if a in there), None)
    for topic in there:
        part = parts.add_parser(topic)
        if topic == asked:
            modules[topic] = importlib.import_module(f"realism.{topic}")
            modules[topic].options(part)
    chosen = said.parse_args(arguments)
    return int(modules[chosen.topic].run(chosen) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
