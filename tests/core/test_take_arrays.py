"""Sound given as arrays: the same mix, the same doubts and the same refusals as sound read from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from takeprint.core.audio_write import write_audio
from takeprint.core.errors import TakeprintError
from takeprint.core.take import load_take

RATE = 8000
TONE = 0.3 * np.sin(2 * np.pi * 440.0 * np.arange(RATE) / RATE)


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ((TONE, 0.5 * TONE), ""),
        ((TONE, -TONE), "opposite phase"),
        ((TONE, 0.0 * TONE), ""),
        ((0.0 * TONE, 0.0 * TONE), "silent"),
        ((np.clip(9.0 * TONE, -1.0, 1.0),), "clipped"),
        ((0.5 + TONE,), "constant offset"),
        ((TONE[:100],), "too short"),
        ((9.0 * TONE,), "over full scale"),
    ],
)
def test_arrays_are_mixed_and_doubted_as_files_are(tmp_path: Path, channels: tuple[np.ndarray, ...], said: str) -> None:
    write_audio(tmp_path / "take.wav", np.stack(channels, axis=1), sample_rate=RATE, format="WAV", subtype="DOUBLE")
    of_file, of_array = load_take(tmp_path / "take.wav"), load_take((np.stack(channels), RATE))
    assert of_array.warnings == of_file.warnings
    assert any(said in words for words in of_array.warnings) if said else not of_array.warnings
    assert of_file.audio is not None
    assert np.allclose(of_array.mono()[0], of_file.audio.read_mono(), rtol=0, atol=1e-12)


def test_arrays_with_their_channels_in_columns_are_refused() -> None:
    with pytest.raises(TakeprintError, match=r"y\.T"):
        load_take((np.stack([TONE, TONE], axis=1), RATE))
