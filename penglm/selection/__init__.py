"""Choosing the strength: criteria along the path, cross-validation, folds."""
