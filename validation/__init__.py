"""Evidence: the same problems given to penglm and to others, judged by one stranger.

``objective.py`` is the judge and shares no code with penglm. ``problems/`` holds what
is solved, ``peers/`` who solves it, ``claims.py`` what is claimed of the answers.

``benchmarks/`` is about time: penglm beside its rivals at equal accuracy.

Run: python -m validation.run, python -m validation.headline,
python -m validation.benchmarks
"""
