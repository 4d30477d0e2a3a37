"""What comes back from a fit."""
