"""The embedded back end: a folder, database rows and QuickJS."""
