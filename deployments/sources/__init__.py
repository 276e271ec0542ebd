"""Files to push: a folder or a ZIP archive, with its `_headers` and limits."""
