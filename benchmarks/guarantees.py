"""Round trip and guarantees on every MIDI file below a folder, judged by the independent referee of the tests.

    python benchmarks/guarantees.py FOLDER [EVERY]

Each file is loaded and saved unchanged, humanized with amount 0 (both must give the same bytes), and humanized as a
user would with amount 1 (default profiles, tempo as tempo events), which the referee holds against the input. MIDI
files inside .tar.gz archives are taken, too.
"""

import importlib.util
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

from takeprint.core.errors import TakeprintError
from takeprint.core.smf import read_smf
from takeprint.core.take import take_of_smf
from takeprint.humanize import perform, render


def load_referee():
    path = Path(__file__).resolve().parents[1] / "tests" / "referee.py"
    spec = importlib.util.spec_from_file_location("referee", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["referee"] = module
    spec.loader.exec_module(module)
    return module


def files_below(folder):
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".mid", ".midi"):
            yield str(path.relative_to(folder)), path.read_bytes()
        elif path.name.endswith(".tar.gz"):
            with tarfile.open(path) as packed:
                for member in packed:
                    if member.name.lower().endswith((".mid", ".midi")):
                        yield f"{path.name}:{member.name}", packed.extractfile(member).read()


def judge(name, data, referee):
    """Return (verdict of the round trip, verdict of amount 0, verdict of amount 1)."""
    smf = read_smf(data, name=name)
    take = take_of_smf(smf, name)
    kept = "same bytes" if smf.to_bytes() == data else "CHANGED"
    try:
        invented = perform(take, seed=7)
    except TakeprintError as refused:
        return kept, f"refused: {refused.problem}", "refused"
    zero = "same bytes" if render(take, invented.scaled(0.0)).data == data else "CHANGED"
    out = render(take, invented)
    added = tuple(e.raw for t in referee.parse(out.data).tracks for e in t if b"takeprint/" in e.raw)
    broken = referee.check_guarantees(
        data, out.data, allow_tempo=True, moved_kinds=(0xA, 0xB, 0xC, 0xD, 0xE), added=added
    )
    return kept, zero, "kept" if not broken else "BROKEN: " + broken[0]


def main(folder, every):
    referee = load_referee()
    counts, told, start = [Counter(), Counter(), Counter()], [], time.process_time()
    n = 0
    for index, (name, data) in enumerate(files_below(folder)):
        if index % every:
            continue
        n += 1
        try:
            verdicts = judge(name, data, referee)
        except referee.Unreadable as wrong:
            verdicts = ("same bytes", "same bytes", f"the referee cannot read it: {wrong}")
        except TakeprintError as wrong:
            verdicts = (f"refused: {wrong.problem}", "refused", "refused")
        for count, verdict in zip(counts, verdicts, strict=True):
            count[verdict.split(":")[0]] += 1
        if any(v.split(":")[0] not in ("same bytes", "kept") for v in verdicts):
            told.append((name, *verdicts))
    print(f"{n} files, {time.process_time() - start:.0f} s of CPU")
    for title, count in zip(("load and save", "amount 0", "amount 1, G1 to G11"), counts, strict=True):
        print(f"  {title:>20}: " + ", ".join(f"{v} {k}" for k, v in count.most_common()))
    for line in told[:40]:
        print(" ", *line, sep=" | ")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 1)
