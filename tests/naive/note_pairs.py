"""Pair note-ons with note-offs by the rule's words: for every note-off, look at all open notes."""

from __future__ import annotations


def note_pairs(track, status, data1, data2):
    notes = []  # [row of on, row of off, row of cut]
    orphans = 0
    for i, (t, s, key, value) in enumerate(zip(track, status, data1, data2, strict=True)):
        if s >= 0xF0:
            continue
        kind, channel = s >> 4, s & 15
        if kind == 9 and value > 0:
            notes.append([i, -1, -1])
        elif kind in (8, 9):
            same = [
                n
                for n in notes
                if n[1] < 0 and track[n[0]] == t and status[n[0]] & 15 == channel and data1[n[0]] == key
            ]
            uncut = [n for n in same if n[2] < 0]
            cut = [n for n in same if n[2] >= 0]
            if uncut:
                uncut[0][1] = i
            elif cut:
                cut[0][1] = i
            else:
                orphans += 1
        elif kind == 11 and key in (120, 123):
            for n in notes:
                if n[1] < 0 and n[2] < 0 and track[n[0]] == t and status[n[0]] & 15 == channel:
                    n[2] = i
    return [n[0] for n in notes], [n[1] for n in notes], [n[2] for n in notes], orphans
