"""The stages of dvc.yaml: each reads, calls kantor, and writes."""

# First of all, before a stage imports numpy.
from kantor.system import errors
from kantor.system import processor as processor

errors.set_up_process()
