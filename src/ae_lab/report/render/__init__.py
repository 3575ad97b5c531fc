"""Turn an executed notebook into a page that opens offline."""
