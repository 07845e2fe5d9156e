"""What every part stands on: errors, output files, progress, and the machine."""
