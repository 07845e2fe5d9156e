"""The stages of dvc.yaml: each reads, calls kantor, and writes."""

# First of all, before a stage imports numpy.
from kantor.system import processor as processor
