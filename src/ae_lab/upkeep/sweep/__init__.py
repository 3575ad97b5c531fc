"""The same notebooks under many seeds and backends, on many machines, through Dask.

`task` says what travels and what is kept, `worker` what happens there, `supervisor` sends and
collects, `sweep` is the verb. The report makes numbers and pictures of the results.
"""
