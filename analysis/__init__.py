"""Measures the human trace.

Conventions
-----------
Late, sharp, louder and longer are positive, everywhere. A beat is a quarter note. NaN is "not known".
"""

from .compare import Comparison, compare
from .ensemble import Ensemble, ensemble
from .fit import fit
from .measure import measure

__all__ = ["Comparison", "Ensemble", "compare", "ensemble", "fit", "measure"]
