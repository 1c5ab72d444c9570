"""The path of played notes through a score, every way to every cell looked at."""


def jump_path(member, toll, due, pitch, before, onset, low, high, gain, added, price):
    back_once, back_each, leap, leap_each, rhythm, slack = price
    n, m = len(toll), len(pitch)
    if n == 0 or m == 0:
        return [-1] * m, [0] * m, 0.0
    # position -> (value, note that entered, last note written there, path of (position, step))
    cells = {}
    for i in range(low[0], high[0]):
        begin = -min(sum(toll[:i]), 0.75 * leap + leap_each * i) - toll[i]
        if member[pitch[0]][i]:
            cells[i] = (begin + gain[0], 0, 0, [(i, 6)])
        else:
            cells[i] = (begin - added[0], 0, 0, [(i, 2)])
    for j in range(1, m):
        fresh = {}
        top = min((k for k in cells), key=lambda k: (-cells[k][0], k))
        for i in range(low[j], high[j]):
            written = member[pitch[j]][i]
            stay, ways = None, []
            if i in cells:
                value, entered, latest, path = cells[i]
                if written and before[j] < entered:
                    share = (onset[j] - onset[latest]) / (due[i + 1] - due[i] + slack)
                    late = rhythm * min(1.0, share**2)
                    stay = (value + gain[j] - late, entered, j, [*path, (i, 4)])
                else:
                    stay = (value - added[j], entered, latest, [*path, (i, 0)])
            if written:
                earlier = [k for k in cells if k < i <= high[j - 1]]
                if earlier:
                    k = max(earlier, key=lambda k: cells[k][0] - sum(toll[k + 1 : i]))
                    value, entered, latest, path = cells[k]
                    wanted = due[i] - due[k]
                    off = min(((onset[j] - onset[a] - wanted) / (wanted + slack)) ** 2 for a in (entered, latest))
                    come = value - sum(toll[k + 1 : i + 1]) + gain[j] - rhythm * min(1.0, off)
                    ways.append((come, j, j, [*path, (i, 5)]))
                later = [k for k in cells if k > i >= low[j - 1]]
                if later:
                    k = max(later, key=lambda k: cells[k][0] - back_each * (k - i))
                    come = cells[k][0] - back_each * (k - i) - back_once + gain[j] - toll[i]
                    ways.append((come, j, j, [*cells[k][3], (i, 7)]))
                come = cells[top][0] - leap - leap_each * abs(i - top) + gain[j] - toll[i]
                ways.append((come, j, j, [*cells[top][3], (i, 6)]))
            options = [max(ways, key=lambda way: way[0])] if ways else []
            if stay is not None:
                follow = [
                    k for k in range(j + 1, min(m, j + 33)) if onset[k] <= onset[j] + slack and member[pitch[k]][i]
                ]
                spent = [k for k in follow if stay[1] <= before[k] < j]
                if not options or options[0][0] + sum(gain[k] + added[k] for k in spent) < stay[0]:
                    options = [stay]
            if options:
                fresh[i] = options[0]
        cells = fresh
    ends = {i: cell[0] - min(sum(toll[i + 1 :]), 0.75 * leap + leap_each * (n - 1 - i)) for i, cell in cells.items()}
    last = max(ends, key=ends.get)
    path = cells[last][3]
    return [i for i, _ in path], [step for _, step in path], ends[last]
