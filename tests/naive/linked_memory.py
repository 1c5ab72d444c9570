"""The slow twin: every value written out as a weighted sum over its whole chain, back to the beginning."""

import math


def linked_memory(noise, previous, memory):
    out = []
    for i in range(len(noise)):
        chain = [i]
        while previous[chain[-1]] >= 0:
            chain.append(int(previous[chain[-1]]))
        total, weight = 0.0, 1.0
        for row in chain:
            begins = previous[row] < 0
            total += weight * (noise[row] if begins else math.sqrt(1.0 - memory[row] ** 2) * noise[row])
            weight *= 0.0 if begins else memory[row]
        out.append(total)
    return out
