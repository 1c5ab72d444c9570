"""The players: who invents deviations, all traces jointly."""
