"""Why coefficients are what they are, in numbers that a refit confirms.

Everything here starts from a problem and a solution of it, and says what the optimality
conditions of docs/objective.md say, column by column. What would happen at another
strength or without a variable is found by solving there, not by extrapolation.
"""
