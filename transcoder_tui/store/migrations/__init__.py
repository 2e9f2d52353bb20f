"""The schema's steps, in the order of their numbers.

A new one is a module ``versions/vNNNN_subject.py`` with ``down_revision`` naming the one before. Alter tables with
``op.batch_alter_table``, which rebuilds them as SQLite requires, and give every constraint the name that
``store/tables.py`` gives it. A test compares the migrated schema with the tables.
"""
