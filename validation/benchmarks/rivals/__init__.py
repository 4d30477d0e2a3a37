"""Who else solves the problems: one file a rival, read by two Pythons.

The harness reads the facts of a ``Rival``; its worker, in the rival's own environment,
runs its ``Solver``. So a file here imports the package it is about inside functions
only, and nothing newer than Python 3.9 and NumPy 1.24.
"""
