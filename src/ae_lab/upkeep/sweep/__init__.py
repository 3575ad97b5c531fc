"""The same notebooks under many seeds and backends, on many machines, through Dask.

`task` says what travels and what is kept, `supervisor` sends it to workers that have the same
package and data and collects, `sweep` is the verb. The report shows the results.
"""
