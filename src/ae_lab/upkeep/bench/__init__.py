"""The bench: our training times compared with those of other libraries, in turn."""
