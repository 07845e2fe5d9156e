"""Measurements of speed, memory and music; see each module for its command."""

# First of all, before a benchmark imports numpy.
from kantor.system import processor as processor
