"""The bench: our training times compared with those of other libraries.

A *row* (`comparison`) is one task, done by our code and by each of its peers, the scripts in the
project's folder ``tests/benchmarks``. Each side of a row runs in its own process (`side`), so that
libraries do not share threads. The sides take turns, one timing at a time.
"""
