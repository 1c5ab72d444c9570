"""Every example runs by itself, without a screen, on shipped material alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("plot_*.py"))


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda p: p.stem)
def test_example_runs_headless(script, tmp_path):
    settings = {k: v for k, v in os.environ.items() if k not in ("TAKEPRINT_DATA", "DISPLAY")}
    settings |= {"MPLBACKEND": "Agg", "TMPDIR": str(tmp_path), "PYTHONWARNINGS": "error::UserWarning"}
    done = subprocess.run(
        [sys.executable, str(script)],
        check=False,
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 4  # it tells its figures
