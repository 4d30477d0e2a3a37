"""How fast penglm is beside its rivals, all at the same accuracy.

``workloads.py`` says what is solved and what is promised, ``rivals/`` who else solves
it, each in an environment and a process of its own; ``judging.py`` judges every answer
with the definitions of ``validation/objective.py``; ``contest.py`` measures;
``page.py`` and ``picture.py`` tell.

Run: python -m validation.benchmarks
"""
