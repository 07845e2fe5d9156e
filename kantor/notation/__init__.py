"""Grids as scores and scores as grids; engraving; a piece in all its formats."""
