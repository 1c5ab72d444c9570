"""Where sounds may begin: frames that the refinement of `analysis.onsets` then places to the sample.

Two proposers share one transform: the flux of a log-frequency bank for what has a tone or rises far, and the power of
noise in wide bands for what rises little over much of the spectrum, as a cymbal does in the ringing of others.

References
----------
Böck and Widmer 2013, Maximum filter vibrato suppression for onset detection, DAFx-13 (the maximum filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

_WINDOW_S = 0.023
_HOP_S = 0.0029
# A rise of noise is searched between these frequencies, in so many bands of one width, none of which counts for more
# than the cap: tones that beat rise in few bands, a cymbal in all.
_NOISE_HZ, _NOISE_BANDS, _NOISE_CAP_DB = (1500.0, 17_000.0), 8, 8.0
# In standard deviations of the estimate; of pure noise one moment in some 30 000 stands so far out.
_NOISE_THRESHOLD = 4.0
# A hit rises at once, a consonant or a breath swells: one window earlier and later together may rise by this share.
_NOISE_FLANKS = 0.35
# Noise softer than this (mean square over the recording's peak) is not looked at: tails, gates and codecs move it.
_NOISE_LEAST_DB = -46.0


@dataclass(frozen=True)
class Grid:
    """Sizes in samples at one rate."""

    rate: float
    window: int
    hop: int

    @classmethod
    def at(cls, rate: float) -> Grid:
        """Return the sizes at a rate in Hz."""
        window = int(2 ** np.ceil(np.log2(_WINDOW_S * rate)))
        hop = max(round(_HOP_S * rate), 1)
        return cls(rate, window, hop)

    @property
    def half_window(self) -> int:
        """Half a window in frames."""
        return round(0.5 * self.window / self.hop)

    def frames(self, seconds: float) -> int:
        """Return the odd number of frames nearest to a time."""
        return 2 * round(seconds * self.rate / self.hop / 2) + 1

    def ms(self, milliseconds: float) -> int:
        """Return a time in samples, at least one."""
        return max(round(milliseconds * self.rate / 1000), 1)


@lru_cache(maxsize=8)
def _bank(rate: float, window: int) -> np.ndarray:
    """Return a bank of triangles, 12 an octave where the window resolves them [shape=(bands, window / 2 + 1)]."""
    top = min(0.48 * rate, 17_000.0)
    centres = 30.0 * 2.0 ** (np.arange(0, 12 * np.log2(top / 30.0) + 1) / 12.0)
    bins = np.unique(np.clip(np.round(centres * window / rate), 1, window // 2).astype(int))
    bank = np.zeros((max(len(bins) - 2, 1), window // 2 + 1), dtype=np.float32)
    if len(bins) < 3:
        bank[0, 1:] = 1.0
        return bank
    for row, (low, mid, high) in enumerate(zip(bins[:-2], bins[1:-1], bins[2:], strict=True)):
        bank[row, low : mid + 1] = np.linspace(0, 1, mid - low + 1)
        bank[row, mid : high + 1] = np.linspace(1, 0, high - mid + 1)
    return bank / bank.sum(1, keepdims=True)


def spectral_rise(x: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return flux [shape=(frames,)] and power in three bands and in the bands of noise [shape=(frames, 3 or bands)].

    Frame i is centred on i hops.
    """
    from scipy.fft import rfft
    from scipy.ndimage import maximum_filter1d

    half = grid.window // 2
    count = len(x) // grid.hop + 1
    # A constant offset is not a sound that begins with the recording.
    rest = float(x[: grid.ms(50)].mean())
    # The end is mirrored, so that what sounds there does not break off.
    padded = np.concatenate([np.full(half, rest), np.pad(x, (0, half + grid.hop), mode="symmetric")])
    padded = padded.astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, grid.window)[:: grid.hop][:count]
    shape = np.hanning(grid.window + 1)[:-1].astype(np.float32)
    shape /= shape.sum() / 2
    bank = _bank(grid.rate, grid.window).T.copy()
    hertz = np.arange(half + 1) * grid.rate / grid.window
    edges = _noise_edges(grid.rate)
    noisy = [(hertz >= low) & (hertz < high) for low, high in pairwise(edges)]
    splits = np.stack([(hertz > 20) & (hertz < 130), (hertz >= 130) & (hertz < 5000), hertz >= 5000, *noisy]).T
    logs, powers = [], []
    for begin in range(0, len(windows), 2048):
        size = np.abs(rfft(windows[begin : begin + 2048] * shape, axis=1))
        logs.append(np.log1p(1000.0 * (size @ bank)))
        powers.append((size**2) @ splits.astype(np.float32))
    bands = np.concatenate(logs)
    # A rise counts only over the loudest neighbour band some frames ago, so that a gliding tone does not rise.
    lag = max(round(0.25 * grid.window / grid.hop), 1)
    rise = np.zeros(len(bands))
    if len(bands) > lag:
        old = maximum_filter1d(bands[:-lag], 3, axis=1)
        rise[lag:] = np.maximum(bands[lag:] - old, 0.0).mean(1)
        # Before the recording there was nothing.
        rise[:lag] = bands[:lag].mean(1)
    power = np.concatenate(powers)
    return rise, power[:, :3], power[:, 3:]


def _noise_edges(rate: float) -> np.ndarray:
    """Return the edges in Hz of the bands in which noise is searched; none where the rate leaves no room for them."""
    low, high = _NOISE_HZ[0], min(_NOISE_HZ[1], 0.48 * rate)
    return np.linspace(low, high, _NOISE_BANDS + 1) if high >= 2 * low else np.zeros(1)


def noise_rise(power: np.ndarray, length: int, grid: Grid) -> np.ndarray:
    """Return how surely noise rises at every frame, in standard deviations [shape=(frames,)].

    The window after a frame is held against the one before it, in the mean of the logarithms of wide bands: steady as
    no narrow band of a noise is, so that one cymbal shows in the ringing of another. The power of noise in a band of
    width B over a time T scatters by 1 / sqrt(B T); what scatters more says so by its own lesser deviations.
    """
    from scipy.ndimage import median_filter, percentile_filter

    rise = np.zeros(len(power))
    lag = grid.half_window
    begin, end = 2 * lag, (length - grid.window) // grid.hop
    if not power.shape[1] or end <= begin:
        return rise
    # With the window of `spectral_rise` the powers of a white noise sum up to 3 times its mean square.
    logs = np.log(power + 3 * 10 ** (_NOISE_LEAST_DB / 10) / power.shape[1])
    cap = _NOISE_CAP_DB * np.log(10) / 10
    rise[begin:end] = np.clip(logs[begin + lag : end + lag] - logs[begin - lag : end - lag], -cap, cap).mean(1)
    width = float(np.ptp(_noise_edges(grid.rate)))
    known = 1.0 / np.sqrt(0.5 * width * 0.514 * grid.window / grid.rate)  # 0.514: the equivalent share of a Hann window
    # What rings on falls steadily; a sound that only holds the level against that is one, too.
    usual = median_filter(rise, grid.frames(0.3), mode="reflect")
    rise -= np.minimum(usual, 0.0)
    # The 30th percentile of a normal variable's size is 0.385 of its deviation, and blind to the hits themselves.
    scatter = percentile_filter(np.abs(rise - np.maximum(usual, 0.0)), 30, grid.frames(0.6), mode="reflect") / 0.385
    rise /= np.maximum(known, scatter)
    rise[:begin] = rise[end:] = 0.0
    return rise


def proposed(flux: np.ndarray, noise: np.ndarray, length: int, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the frames at which a sound may begin, their strength, and whether only noise rose there."""
    from scipy.ndimage import maximum_filter1d

    frames, strength = _peaks(flux, length, grid)
    top = maximum_filter1d(noise, grid.frames(0.05), mode="constant")
    more = np.flatnonzero((noise >= top) & (noise > _NOISE_THRESHOLD))
    flanks = noise[np.maximum(more - 2 * grid.half_window, 0)]
    flanks = flanks + noise[np.minimum(more + 2 * grid.half_window, len(noise) - 1)]
    more = more[flanks < _NOISE_FLANKS * noise[more]]
    if len(frames) and len(more):
        near = np.searchsorted(frames, more)
        left, right = frames[np.maximum(near - 1, 0)], frames[np.minimum(near, len(frames) - 1)]
        more = more[np.minimum(np.abs(more - left), np.abs(more - right)) > grid.frames(0.035)]
    every = np.concatenate([frames, more])
    order = np.argsort(every, kind="stable")
    burst = np.arange(len(every)) >= len(frames)
    return every[order], np.concatenate([strength, noise[more] / _NOISE_THRESHOLD])[order], burst[order]


def _peaks(flux: np.ndarray, length: int, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames of the peaks over a moving threshold, and how far they stand over it."""
    from scipy.ndimage import median_filter, uniform_filter1d

    # Windows that reach over the end of the recording hear it mirrored: they may add a peak, but hide none.
    whole = max((length - grid.window // 2) // grid.hop + 1, 0)
    body = flux.copy()
    body[whole:] = 0.0
    threshold = (
        0.05
        + 1.0 * median_filter(body, grid.frames(0.2), mode="reflect")
        + 0.6 * uniform_filter1d(body, grid.frames(0.4), mode="reflect")
    )
    chosen = _tops(body, threshold, grid)
    late = whole + _tops(flux[whole:], threshold[whole:], grid)
    if len(chosen):
        late = late[late - chosen[-1] > grid.frames(0.025)]
    chosen = np.concatenate([chosen, late])
    return chosen, flux[chosen] / threshold[chosen]


def _tops(flux: np.ndarray, threshold: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the frames that are over the threshold and the largest for 25 ms around."""
    from scipy.ndimage import maximum_filter1d

    top = maximum_filter1d(flux, grid.frames(0.05), mode="constant")
    tops = np.flatnonzero((flux >= top) & (flux > threshold))
    # A plateau is one peak: its first frame.
    return tops[np.concatenate([[True], np.diff(tops) > grid.frames(0.02)])] if len(tops) else tops


def named(bands: np.ndarray, frame: int) -> str:
    """Guess a drum by where the energy that came lies."""
    # A kick's low tone outlasts its click: look at some 45 ms.
    now = bands[frame : frame + 16].mean(0)
    old = bands[max(frame - 10, 0) : max(frame - 4, 1)].mean(0)
    new = np.maximum(now - old, 0.0)
    if new.sum() <= 0:
        return ""
    low, _, high = new / new.sum()
    if low > 0.6:
        return "kick"
    if high > 0.6:
        return "hat"
    return "snare" if high > 0.03 and low < 0.4 else ""
