"""Where a set is heard: a dry room, a live one, a bleeding microphone, another sampling rate.

The direct sound passes unchanged, so the truth stays where it is. MP3 shifts a sound by a constant of encoder and
decoder; it is measured by cross-correlation with what went in and taken away, for it is no error of a detector.
"""

from __future__ import annotations

import io

import numpy as np
from mixing import Sound, with_samples


def tail(rng: np.random.Generator, reverb_s: float, level: float, rate: int) -> np.ndarray:
    """Return a room's answer after the direct sound: noise from 4 ms on that falls by 60 dB, high tones faster."""
    from scipy.signal import butter, sosfilt

    t = np.arange(int(reverb_s * rate)) / rate
    low = sosfilt(butter(2, 2500, fs=rate, output="sos"), rng.normal(0, 1, len(t)))
    high = sosfilt(butter(2, 2500, "high", fs=rate, output="sos"), rng.normal(0, 1, len(t)))
    out = low * 10 ** (-3 * t / reverb_s) + 0.6 * high * 10 ** (-3 * t / (0.55 * reverb_s))
    out[: int(0.004 * rate)] = 0.0
    return out * level / np.sqrt((out**2).sum())


def in_room(sound: Sound, rng: np.random.Generator, reverb_s: float, level: float) -> Sound:
    """Return the sound in a room whose answer has ``level`` of the direct sound's amplitude."""
    from scipy.signal import oaconvolve

    wet = sound.samples + oaconvolve(sound.samples, tail(rng, reverb_s, level, sound.rate))[: len(sound.samples)]
    return with_samples(sound, 0.7 * wet / np.abs(wet).max())


def dry(sound: Sound, rng: np.random.Generator) -> Sound:
    """Return the sound in a room of 0.35 s with noise at -66 dB of full scale."""
    out = in_room(sound, rng, 0.35, 0.25)
    return with_samples(out, out.samples + rng.normal(0, 10 ** (-66 / 20), len(out.samples)))


def live(sound: Sound, rng: np.random.Generator) -> Sound:
    """Return the sound in a room of 1.1 s with noise 26 dB below it, through MP3 at 128 kbit/s."""
    out = in_room(sound, rng, 1.1, 0.4)
    level = np.sqrt((out.samples**2).mean())
    noisy = out.samples + rng.normal(0, level * 10 ** (-26 / 20), len(out.samples))
    noisy *= min(1.0, 0.95 / np.abs(noisy).max())
    return with_samples(out, through_mp3(noisy, out.rate))


def through_mp3(samples: np.ndarray, rate: int, kbits: int = 128) -> np.ndarray:
    """Return what MP3 makes of samples, without its constant delay."""
    import soundfile

    if "MP3" not in soundfile.available_formats():
        raise SystemExit("the live sets need a soundfile that writes MP3 (libsndfile 1.1 or later)")
    file = io.BytesIO()
    squeeze = (320 - kbits) / (320 - 32)  # libsndfile's scale of constant bit rates at 32 kHz and above
    with soundfile.SoundFile(
        file, "w", rate, 1, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=squeeze
    ) as out:
        for begin in range(0, len(samples), 1 << 16):  # one long write overruns the encoder's stack
            out.write(samples[begin : begin + (1 << 16)])
    file.seek(0)
    back = soundfile.read(file)[0]
    delay = codec_delay(samples, back)
    back = back[delay:] if delay >= 0 else np.concatenate([np.zeros(-delay), back])
    return np.concatenate([back, np.zeros(max(len(samples) - len(back), 0))])[: len(samples)]


def codec_delay(before: np.ndarray, after: np.ndarray, most: int = 4000) -> int:
    """Return by how many samples ``after`` lags behind, by the peak of their cross-correlation."""
    from scipy.fft import irfft, next_fast_len, rfft

    length = min(len(before), len(after), 1 << 20)
    size = next_fast_len(length + most + 1)
    product = irfft(rfft(after[:length], size) * np.conj(rfft(before[:length], size)), size)
    lags = np.concatenate([np.arange(most), np.arange(-most, 0)])
    return int(lags[np.argmax(np.concatenate([product[:most], product[-most:]]))])


def at_rate(sound: Sound, rate: int) -> Sound:
    """Return the sound at another sampling rate (band-limited, no delay)."""
    from math import gcd

    from scipy.signal import resample_poly

    shared = gcd(rate, sound.rate)
    return with_samples(sound, resample_poly(sound.samples, rate // shared, sound.rate // shared), rate)


def bleeding(sound: Sound, other: Sound, level_db: float = -28.0) -> Sound:
    """Return the sound with another instrument in its microphone; that one's onsets count neither way."""
    from dataclasses import replace

    quiet = np.resize(other.samples, len(sound.samples)) * 10 ** (level_db / 20)
    turns = np.arange(-(-len(sound.samples) // len(other.samples))) * other.duration_s
    theirs = np.sort((other.note_onset_s[None, :] + turns[:, None]).ravel())
    theirs = theirs[theirs < sound.duration_s]
    maybe = np.sort(np.concatenate([sound.maybe_s, theirs]))
    return replace(sound, samples=sound.samples + quiet, maybe_s=maybe)
