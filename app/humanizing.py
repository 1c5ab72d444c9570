"""``takeprint humanize``: which player, how much, and what became of it.

Conventions
-----------
Amounts multiply: the overall one times the trace's own. With every amount 0 the output is the input, byte for byte, and
says nothing about itself. Take ``k`` of several uses the seed ``S + k - 1``, so that each can be made again alone.
"""

from __future__ import annotations


def run_humanize(args):
    raise NotImplementedError
