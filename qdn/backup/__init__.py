"""Backups: the database, the object store without tracking documents, and media.

A target is a folder or an S3 prefix. It holds any number of backups:

    backups/<name>/manifest.json            written last: a backup without it does not exist
    backups/<name>/tables/<table>.jsonl.gz  the rows, in a format that does not depend on the vendor
    backups/<name>/store.jsonl.gz           the objects of the store, with their headers
    backups/<name>/media.jsonl.gz           the media files
    objects/<ab>/<sha256>                   their contents, shared by all backups
"""
