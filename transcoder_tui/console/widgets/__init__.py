"""The parts of the console's screens."""
