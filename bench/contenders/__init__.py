"""Contenders: each a small program, run by the bench as a process of its own.

What they have in common is in ``bench.worker``; everything else they do by
themselves, as a user of that library would.
"""
