"""The slow twin: every correction a player ever made, written down and faded from its own moment each time."""


def coupled_clocks(moment, player, clock, marked, beat, listen, tie, anticipation, correction, resting, keep):
    n, players = len(clock), len(listen)
    out = [0.0] * n
    made = {i: [] for i in range(players)}  # (beat, size) of each correction
    latest = {}

    def so_far(i, now):
        return sum(size * keep[i] ** (now - then) for then, size in made[i])

    def others(i, playing, heard):
        weights = {e: listen[i][player[e]] * (1.0 + tie[i] * marked[e]) for e in playing if player[e] != i}
        total = sum(weights.values())
        return sum(w * heard[e] for e, w in weights.items()) / total if total > 0.0 else None

    for number in sorted(set(moment)):
        playing = [e for e in range(n) if moment[e] == number]
        now = beat[playing[0]]
        meant = {e: clock[e] + so_far(player[e], now) for e in playing}
        for e in playing:
            latest[player[e]] = clock[e]
            middle = others(player[e], playing, meant)
            pull = 0.0 if middle is None else anticipation[player[e]] * (meant[e] - middle)
            out[e] = meant[e] - pull
        heard = {e: out[e] for e in playing}
        answers = []
        for i, clock_then in latest.items():
            middle = others(i, playing, heard)
            if middle is None:
                continue
            own = [e for e in playing if player[e] == i]
            if own:
                answers.append((i, -correction[i] * (heard[own[0]] - middle)))
            else:
                answers.append((i, -resting[i] * (clock_then + so_far(i, now) - middle)))
        for i, size in answers:
            made[i].append((now, size))
    return out
