"""Adds the human trace to quantized MIDI or audio.

Conventions
-----------
``perform`` invents deviations for a score, steered by ``Controls``; ``render`` lays deviations, measured or
invented, into a copy of it.
"""

from .controls import Controls
from .disclosure import read_disclosure
from .perform import perform
from .render_midi import Rendered, render

__all__ = ["Controls", "Rendered", "perform", "read_disclosure", "render"]
