"""The bench: how long our trainings take beside what one would use instead.

A *row* (`comparison`) is one piece of work, done by our code and by each of its peers: the
scripts in the project's folder ``tests/benchmarks``. Every side of a row lives in a process of its
own (`side`), so that the libraries do not share threads, and is asked for one timing at a time, in
turn.
"""
