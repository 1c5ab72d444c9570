"""The one exception of Takeprint, and the note on a repair.

Conventions
-----------
A refusal says, in one line: where (file and place), what is wrong, which rule it breaks and what to do.
A repair says at which byte offset something was mended, by which rule (``code``) and in words.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


class TakeprintError(ValueError):
    """A refusal in one clear line.

    Parameters
    ----------
    problem : str
        What is wrong, naming the value.
    where : str or None
        File name, with byte offset, track or line where it is known.
    rule : str or None
        The rule that is broken.
    remedy : str or None
        What the user can do.
    code : str or None
        A short stable name of the defect, e.g. ``"midi.truncated"``.

    Examples
    --------
    >>> str(TakeprintError("click=0 bpm", rule="a click has 10 to 1000 bpm", remedy="give --click BPM"))
    'click=0 bpm; a click has 10 to 1000 bpm; give --click BPM'
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        rule: str | None = None,
        remedy: str | None = None,
        code: str | None = None,
    ) -> None:
        self.problem = problem
        self.where = where
        self.rule = rule
        self.remedy = remedy
        self.code = code
        said = "; ".join(part for part in (problem, rule, remedy) if part)
        line = f"{where}: {said}" if where else said
        super().__init__(" ".join(line.split()))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments would be lost by the default pickling, and batch workers send errors across processes.
        return _rebuild, (type(self), self.problem, self.where, self.rule, self.remedy, self.code)


def _rebuild(
    kind: type[TakeprintError],
    problem: str,
    where: str | None,
    rule: str | None,
    remedy: str | None,
    code: str | None,
) -> TakeprintError:
    return kind(problem, where=where, rule=rule, remedy=remedy, code=code)


@dataclass(frozen=True)
class Repair:
    """One mended defect of an input file.

    Parameters
    ----------
    offset : int
        Byte offset in the file as it lies on disk; -1 where the defect has no single place.
    code : str
        Short stable name, e.g. ``"midi.missing-end-of-track"``.
    text : str
        What was wrong and what was assumed, in words.
    """

    offset: int
    code: str
    text: str

    def to_dict(self) -> dict[str, object]:
        """Return the repair as the ``repairs`` list of a JSON document holds it."""
        return asdict(self)
