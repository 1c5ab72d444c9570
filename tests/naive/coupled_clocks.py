"""The slow twin: every clock and correction a player ever had, written down and faded from its own moment each time."""


def coupled_clocks(moment, player, clock, marked, beat, steady, listen, tie, anticipation, correction, keep):
    n, players = len(clock), len(listen)
    out = [0.0] * n
    clocks = {i: [] for i in range(players)}
    made = {i: [] for i in range(players)}  # (beat, size) of each correction

    def felt(i):
        # Each clock counts with its share of what the later ones left of it; the first with all that is left.
        total, left = 0.0, 1.0
        for value in clocks[i][:0:-1]:
            total += left * steady[i] * value
            left *= 1.0 - steady[i]
        return total + left * clocks[i][0]

    def so_far(i, now):
        return sum(size * keep[i] ** (now - then) for then, size in made[i])

    def middle(i, playing, heard, own):
        """The weighted mean of all who play; a player who rests counts itself in with its silent clock."""
        values = [(listen[i][player[e]] * (1.0 + tie[i] * marked[e]), heard[e]) for e in playing]
        if i not in [player[e] for e in playing]:
            values.append((listen[i][i], own))
        total = sum(w for w, _ in values)
        return sum(w * v for w, v in values) / total if total > 0.0 else own

    for number in sorted(set(moment)):
        playing = [e for e in range(n) if moment[e] == number]
        now = beat[playing[0]]
        for e in playing:
            clocks[player[e]].append(clock[e])
        meant = {e: felt(player[e]) + so_far(player[e], now) for e in playing}
        heard = {}
        for e in playing:
            i = player[e]
            pull = anticipation[i] * (meant[e] - middle(i, playing, meant, meant[e]))
            heard[e] = meant[e] - pull
            out[e] = clock[e] + so_far(i, now) - pull
        answers = []
        for i in range(players):
            if clocks[i]:
                played = [heard[e] for e in playing if player[e] == i]
                own = played[0] if played else felt(i) + so_far(i, now)
                answers.append((i, -correction[i] * (own - middle(i, playing, heard, own))))
        for i, size in answers:
            made[i].append((now, size))
    return out
