"""The command line: a line or two each, over the client."""
