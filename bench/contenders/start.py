"""Runs the imports it is given, and tells how many milliseconds and modules they took.

Whatever this program imported itself would be missing from what it measures, so
it needs no more than Python has at hand when it starts.
"""

import sys
import time

statement = sys.argv[1]
before = len(sys.modules)
began = time.perf_counter()
exec(compile(statement, "<statement>", "exec"), {})
milliseconds = (time.perf_counter() - began) * 1000
print(f"[{milliseconds:.3f}, {len(sys.modules) - before}]")
