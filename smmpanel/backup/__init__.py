"""One file that holds all of a panel, and the way back from it.

    archive.py        the file: a tar of a manifest, the database and the keys, each with its checksum
    database.py       what both databases can do: copy themselves, take a copy in beside the live one, change places
    sqlite.py         … by SQLite's online backup, and a rename
    postgresql.py     … by pg_dump and pg_restore, into a schema of its own, and a rename of schemas
    keys.py           the keys without which the database's secrets cannot be read
    taking.py         a backup, while the panel runs
    restoring.py      a restore, while nothing runs: checked whole before anything is touched, all or nothing
"""
