"""Judges of the music: features and checks on grids, without a network."""
