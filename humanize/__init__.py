"""Adds the human trace to quantized MIDI or audio."""
