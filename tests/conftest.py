"""Fixtures that all tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_root() -> Path | None:
    """Return the shared data folder, or None where this machine has none."""
    said = os.environ.get("TAKEPRINT_DATA")
    folder = Path(said) if said else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real recordings; skip where there is none."""
    folder = shared_root()
    if folder is None:
        pytest.skip("no shared data here: set TAKEPRINT_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def bad_inputs(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Return a folder with the corpus of odd and hostile files and its manifest."""
    maker = shared_data.parent / "tools" / "make_badinputs.py"
    if not maker.is_file():
        pytest.skip("no make_badinputs.py beside the shared data")
    out = tmp_path_factory.mktemp("bad")
    subprocess.run([sys.executable, str(maker), str(out)], check=True, capture_output=True)
    return out
