"""The same notebooks under many seeds and backends, on many machines, through Dask.

``task`` says what travels, ``worker`` what happens there, ``run`` sends and collects,
``results`` keeps, ``spread`` and ``dots`` make numbers and pictures of it for the index.
"""
