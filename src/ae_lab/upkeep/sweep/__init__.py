"""Runs the same notebooks with many seeds and backends, on many machines, with Dask.

`task` defines what is sent and stored. `supervisor` sends it to workers with the same package and
data and collects the results. `sweep` is the command. The report shows the results.
"""
