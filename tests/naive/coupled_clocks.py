"""The slow twin: every clock and correction a player ever had, written down and faded from its own moment each time."""


def coupled_clocks(moment, player, clock, marked, beat, steady, listen, tie, anticipation, correction, resting, keep):
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

    def others(i, playing, heard):
        weights = {e: listen[i][player[e]] * (1.0 + tie[i] * marked[e]) for e in playing if player[e] != i}
        total = sum(weights.values())
        return sum(w * heard[e] for e, w in weights.items()) / total if total > 0.0 else None

    for number in sorted(set(moment)):
        playing = [e for e in range(n) if moment[e] == number]
        now = beat[playing[0]]
        for e in playing:
            clocks[player[e]].append(clock[e])
        meant = {e: felt(player[e]) + so_far(player[e], now) for e in playing}
        heard = {}
        for e in playing:
            middle = others(player[e], playing, meant)
            pull = 0.0 if middle is None else anticipation[player[e]] * (meant[e] - middle)
            heard[e] = meant[e] - pull
            out[e] = clock[e] + so_far(player[e], now) - pull
        answers = []
        for i in range(players):
            middle = others(i, playing, heard)
            if not clocks[i] or middle is None:
                continue
            own = [heard[e] for e in playing if player[e] == i]
            if own:
                answers.append((i, -correction[i] * (own[0] - middle)))
            else:
                answers.append((i, -resting[i] * (felt(i) + so_far(i, now) - middle)))
        for i, size in answers:
            made[i].append((now, size))
    return out
