"""Kantor: Bach's chorales, from the scores to a trained model and new music.

Imports point one way, from the end of this list to its beginning: system; chorale, metadata,
details, plan, bounds, wish; params; planning; synth, notation; judging; data; network; training;
sampling; evaluation; report; elsewhere; commands.
"""

from kantor.system import processor as processor  # before numpy, whoever imports it
