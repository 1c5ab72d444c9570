"""Measures the human trace: late, sharp, louder and longer are positive, everywhere."""
