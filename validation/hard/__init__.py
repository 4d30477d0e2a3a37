"""Small problems that are hard to compute with, and who survives them."""
