"""Compiled inner loops: arrays and numbers in, arrays and numbers out.

Nothing is imported here, so that ``import penglm`` never waits for the compiler; a
caller imports the kernel module inside the function that needs it. Set
``NUMBA_DISABLE_JIT=1`` to run the very same code interpreted.
"""
