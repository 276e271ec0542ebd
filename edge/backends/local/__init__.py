"""The local back end: a folder, database rows and QuickJS, for one machine."""
