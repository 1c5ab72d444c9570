"""What a take says of its source."""

from __future__ import annotations

import warnings

from takeprint.core.take import _doubts_of_partitura


def test_a_score_s_doubts_come_in_one_order_and_none_is_about_code():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for k in (3, 1, 7, 2, 1, 5, 6, 4):
            warnings.warn(f"slur {k}\n is open", UserWarning, stacklevel=1)
        warnings.warn("module 'x' is deprecated", DeprecationWarning, stacklevel=1)
    told = _doubts_of_partitura(said)
    assert told == (*(f"partitura: slur {k} is open" for k in range(1, 6)), "partitura: and 2 more")
    assert _doubts_of_partitura(said[::-1]) == told
