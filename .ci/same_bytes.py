"""Print the sha256 of humanized MIDI files, made in one and in four processes; the first line names the versions."""

import hashlib
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np


def humanized(job):
    from takeprint.humanize import perform, render

    path, profile, player, seed = job
    return hashlib.sha256(render(path, perform(path, profile, player=player, seed=seed)).data).hexdigest()


def main():
    import numba

    from takeprint.app.tunes import drum_pattern, minuet

    print("numpy", np.__version__, "numba", numba.__version__)
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for name, tune in (("drums.mid", drum_pattern()), ("minuet.mid", minuet())):
            (Path(folder) / name).write_bytes(tune.to_midi())
            profiles = ("drums-funk", "drums-jazz", "drums-drummer8") if name == "drums.mid" else ("piano-plain",)
            for profile in profiles:
                players = ("learned", "parametric", "donor") if name == "drums.mid" else ("parametric",)
                jobs += [(Path(folder) / name, profile, p, seed) for p in players for seed in (0, 7, 12345)]
        alone = [humanized(job) for job in jobs]
        with ProcessPoolExecutor(4) as pool:
            together = list(pool.map(humanized, reversed(jobs)))[::-1]
    for job, digest in zip(jobs, alone, strict=True):
        print(job[0].name, *job[1:], digest)
    if together != alone:
        sys.exit("one and four processes give different bytes")


if __name__ == "__main__":
    main()
