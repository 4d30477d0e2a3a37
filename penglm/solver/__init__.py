"""The solver: a problem and a strength in, a certified solution out."""
