"""Solutions in 80 digits, by a solver that shares nothing with penglm."""
