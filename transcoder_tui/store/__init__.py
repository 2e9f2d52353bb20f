"""SQLite through SQLModel. The only room that opens the database."""
